{# The ids that a web touch's link or click brings along. Touches that agree in these share a link_key. #}
{% macro link_id_columns() -%}
    {{ return([
        'clicked_campaign_id', 'clicked_adset_id', 'clicked_ad_id', 'url_campaign_id', 'url_adset_id', 'url_ad_id',
    ]) }}
{%- endmacro %}

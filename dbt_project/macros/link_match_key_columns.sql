{# What a touch's link and click tell of its campaign, beside its campaign parameters. Touches that agree in these share a
   link_key. #}
{% macro link_match_key_columns() -%}
    {{ return([
        'clicked_campaign_id', 'clicked_adset_id', 'clicked_ad_id', 'url_campaign_id', 'url_adset_id', 'url_ad_id',
        'ad_content', 'creator_code',
    ]) }}
{%- endmacro %}

{# Null where it tells nothing, as most interactions do. #}
{% macro link_key(columns=none) -%}
    case
        when coalesce({{ (columns or link_match_key_columns()) | join(', ') }}) is not null
            then {{ hash_key(columns or link_match_key_columns()) }}
    end
{%- endmacro %}

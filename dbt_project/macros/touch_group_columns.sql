{# What a touch's channel, platform and campaign follow from. Touches that agree in these are decided once, together. #}
{% macro touch_group_columns() -%}
    {{ return([
        'org_id', 'given_touch_type', 'given_channel', 'given_platform', 'source', 'medium', 'campaign', 'campaign_id',
        'adset_id', 'ad_id', 'click_id_type', 'link_key',
    ]) }}
{%- endmacro %}

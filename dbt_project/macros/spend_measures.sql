{# The measures of a day of spend. #}
{% macro spend_measures() -%}
    {{ return(['spend_micros', 'impressions', 'clicks', 'video_views', 'platform_conversions', 'platform_value_micros']) }}
{%- endmacro %}

{# What a platform counts of a day of an ad, beside the ids. #}
{% macro spend_measures() -%}
    {{ return(['spend_micros', 'impressions', 'clicks', 'video_views', 'platform_conversions', 'platform_value_micros']) }}
{%- endmacro %}

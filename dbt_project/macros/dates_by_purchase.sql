{# Whether the platform of a row dates the conversions that it claims by the day of the purchase. #}
{% macro dates_by_purchase() -%}
    platform in ('{{ var('platforms_dating_by_purchase') | join("', '") }}')
{%- endmacro %}

{# Micros as an exact decimal in units of the currency. Thirteen digits before the point hold every bigint of micros. #}
{% macro in_units(micros) -%}
    cast(cast({{ micros }} as decimal(19, 0)) * 0.000001 as decimal(19, 6))
{%- endmacro %}

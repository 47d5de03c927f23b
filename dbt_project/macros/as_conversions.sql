{# Credit is counted in trillionths of a conversion, in whole numbers, so that it sums exactly; shown as a decimal. #}
{% macro as_conversions(credit) -%}
    cast({{ credit }} as decimal(26, 0)) * 0.000000000001
{%- endmacro %}

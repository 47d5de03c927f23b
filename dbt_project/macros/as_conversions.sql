{# Conversions as a decimal. Credit is a whole number of trillionths of a conversion, so that it sums exactly. #}
{% macro as_conversions(credit) -%}
    cast({{ credit }} as decimal(26, 0)) * 0.000000000001
{%- endmacro %}

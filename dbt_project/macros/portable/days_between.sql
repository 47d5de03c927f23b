{# Days from one timestamp to a later one, with their fraction. #}
{% macro days_between(earlier, later) -%}
    {{ return(adapter.dispatch("days_between", "tributary")(earlier, later)) }}
{%- endmacro %}

{% macro default__days_between(earlier, later) -%}
    ((epoch_us({{ later }}) - epoch_us({{ earlier }})) / 86400000000.0)
{%- endmacro %}

{% macro spark__days_between(earlier, later) -%}
    ((unix_micros({{ later }}) - unix_micros({{ earlier }})) / cast(86400000000 as double))
{%- endmacro %}

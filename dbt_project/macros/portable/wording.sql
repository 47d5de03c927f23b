{# Figures as a person reads them: 1,234.50, 12 %. Money comes in micros. #}
{% macro as_money(micros) -%} {{ return(as_number("(" ~ micros ~ ") / 1e6")) }} {%- endmacro %}

{% macro as_percent(share) -%}
    {{ return(adapter.dispatch("as_percent", "tributary")(share)) }}
{%- endmacro %}

{% macro default__as_percent(share) -%} format('{:.0f} %', 100.0 * ({{ share }})) {%- endmacro %}

{% macro as_number(figure) -%}
    {{ return(adapter.dispatch("as_number", "tributary")(figure)) }}
{%- endmacro %}

{% macro default__as_number(figure) -%} format('{:,.2f}', cast({{ figure }} as double)) {%- endmacro %}

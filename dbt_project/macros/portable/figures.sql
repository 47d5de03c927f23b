{# Figures in the form that people read: 1,234.50 and 12 %. Money is in micros. #}
{% macro as_money(micros) -%} {{ return(as_number("(" ~ micros ~ ") / 1e6")) }} {%- endmacro %}

{% macro as_money_in(micros, currency) -%} {{ return(as_money(micros) ~ " || ' ' || " ~ currency) }} {%- endmacro %}

{% macro as_percent(share) -%}
    {{ return(adapter.dispatch("as_percent", "tributary")(share)) }}
{%- endmacro %}

{% macro default__as_percent(share) -%} format('{:.0f} %', 100.0 * ({{ share }})) {%- endmacro %}

{% macro spark__as_percent(share) -%} format_string('%.0f %%', 100.0 * ({{ share }})) {%- endmacro %}

{% macro as_number(figure) -%}
    {{ return(adapter.dispatch("as_number", "tributary")(figure)) }}
{%- endmacro %}

{% macro default__as_number(figure) -%} format('{:,.2f}', cast({{ figure }} as double)) {%- endmacro %}

{% macro spark__as_number(figure) -%} format_number(cast({{ figure }} as double), 2) {%- endmacro %}

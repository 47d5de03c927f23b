{# The last value of a window that is not null: a window function without its `over`. #}
{% macro last_non_null(value) -%}
    {{ return(adapter.dispatch("last_non_null", "tributary")(value)) }}
{%- endmacro %}

{% macro default__last_non_null(value) -%} last_value({{ value }} ignore nulls) {%- endmacro %}

{% macro spark__last_non_null(value) -%} last_value({{ value }}) ignore nulls {%- endmacro %}

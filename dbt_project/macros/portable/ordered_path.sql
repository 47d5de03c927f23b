{# The values of a group in order, as one readable path: Display > Email > Direct. #}
{% macro ordered_path(value, order_by) -%}
    {{ return(adapter.dispatch("ordered_path", "tributary")(value, order_by)) }}
{%- endmacro %}

{% macro default__ordered_path(value, order_by) -%}
    string_agg({{ value }}, ' > ' order by {{ order_by }})
{%- endmacro %}

{% macro spark__ordered_path(value, order_by) -%}
    listagg({{ value }}, ' > ') within group (order by {{ order_by }})
{%- endmacro %}

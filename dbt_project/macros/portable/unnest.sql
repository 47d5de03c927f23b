{# One row an element of a list, as a select expression. #}
{% macro unnest(list) -%}
    {{ return(adapter.dispatch("unnest", "tributary")(list)) }}
{%- endmacro %}

{% macro default__unnest(list) -%}
    unnest({{ list }})
{%- endmacro %}

{# One row for each element of a list, as a select expression. #}
{% macro unnest(list) -%}
    {{ return(adapter.dispatch("unnest", "tributary")(list)) }}
{%- endmacro %}

{% macro default__unnest(list) -%}
    unnest({{ list }})
{%- endmacro %}

{% macro spark__unnest(list) -%}
    explode({{ list }})
{%- endmacro %}

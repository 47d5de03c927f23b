{# One row a day from the first to the last, both included, as a select expression. #}
{% macro each_day(first, last) -%}
    {{ return(adapter.dispatch("each_day", "tributary")(first, last)) }}
{%- endmacro %}

{% macro default__each_day(first, last) -%}
    cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as date)
{%- endmacro %}

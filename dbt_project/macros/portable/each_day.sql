{# One row for each day from the first to the last, both included, as a select expression. #}
{% macro each_day(first, last) -%}
    {{ return(adapter.dispatch("each_day", "tributary")(first, last)) }}
{%- endmacro %}

{% macro default__each_day(first, last) -%}
    cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as date)
{%- endmacro %}

{# Spark counts backwards where the last day is before the first, so that such a range has to be null. #}
{% macro spark__each_day(first, last) -%}
    explode(case when {{ first }} <= {{ last }} then sequence({{ first }}, {{ last }}, interval 1 day) end)
{%- endmacro %}

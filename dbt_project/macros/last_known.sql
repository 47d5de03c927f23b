{# The value of the highest rank that has one. DuckDB's max_by skips null values, Spark's does not. #}
{% macro last_known(value, rank) -%}
    max_by({{ value }}, case when {{ value }} is not null then {{ rank }} end)
{%- endmacro %}

{# One short id of several columns. Each value goes in with its length, so that ('ab', 'c') and ('a', 'bc') differ, and null
   differs from ''. #}
{% macro hash_key(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(length(" ~ column ~ ") || ':' || " ~ column ~ ", '-')") -%}
    {%- endfor -%}
    {{ dbt.hash(parts | join(" || ")) }}
{%- endmacro %}

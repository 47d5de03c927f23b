{# A short id of several columns. It includes the length of each value, so that ('ab', 'c') and ('a', 'bc') differ, and null
   and '' differ. #}
{% macro hash_key(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(length(" ~ column ~ ") || ':' || " ~ column ~ ", '-')") -%}
    {%- endfor -%}
    {{ dbt.hash(parts | join(" || ")) }}
{%- endmacro %}

{# A sentence from a seed: the template with each {place} replaced by the expression of that name, or - where it is null.
   {row|rows} is `row` if the place `rows` is 1, else `rows`. #}
{% macro filled(template, places) -%}
    {%- set sentence = namespace(sql=template) -%}
    {%- if 'rows' in places -%}
        {%- set one = regex_replace(template, "'[{]([^|{}]*)[|][^|{}]*[}]'", "'\\1'") -%}
        {%- set many = regex_replace(template, "'[{][^|{}]*[|]([^|{}]*)[}]'", "'\\1'") -%}
        {%- set sentence.sql = "case when " ~ places['rows'] ~ " = 1 then " ~ one ~ " else " ~ many ~ " end" -%}
    {%- endif -%}
    {%- for place, expression in places.items() -%}
        {%- set value = "coalesce(cast(" ~ expression ~ " as " ~ dbt.type_string() ~ "), '-')" -%}
        {%- set sentence.sql = "replace(" ~ sentence.sql ~ ", '{" ~ place ~ "}', " ~ value ~ ")" -%}
    {%- endfor -%}
    {{ sentence.sql }}
{%- endmacro %}

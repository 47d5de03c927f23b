{# A sentence from a seed: the template with each {place} replaced by the expression of that name, or - where it is null. #}
{% macro filled(template, places) -%}
    {%- set sentence = namespace(sql=template) -%}
    {%- if 'rows' in places -%}
        {%- set choice = "'[{]([^|{}]*)[|]([^|{}]*)[}]'" -%}
        {%- set sentence.sql = "case when " ~ places['rows'] ~ " = 1 then " ~ regex_replace(template, choice, "'\\1'")
            ~ " else " ~ regex_replace(template, choice, "'\\2'") ~ " end" -%}
    {%- endif -%}
    {%- for place, expression in places.items() -%}
        {%- set value = "coalesce(cast(" ~ expression ~ " as " ~ dbt.type_string() ~ "), '-')" -%}
        {%- set sentence.sql = "replace(" ~ sentence.sql ~ ", '{" ~ place ~ "}', " ~ value ~ ")" -%}
    {%- endfor -%}
    {{ sentence.sql }}
{%- endmacro %}

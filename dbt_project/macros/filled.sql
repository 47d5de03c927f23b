{# A sentence from a seed: the template with each {place} replaced by the expression of that name, or - where it is null. #}
{% macro filled(template, places) -%}
    {%- set sentence = namespace(sql=template) -%}
    {%- for place, expression in places.items() -%}
        {%- set value = "coalesce(cast(" ~ expression ~ " as " ~ dbt.type_string() ~ "), '-')" -%}
        {%- set sentence.sql = "replace(" ~ sentence.sql ~ ", '{" ~ place ~ "}', " ~ value ~ ")" -%}
    {%- endfor -%}
    {{ sentence.sql }}
{%- endmacro %}

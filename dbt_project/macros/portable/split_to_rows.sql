{# A whole select: one row for each part of a separated text, with its position from 1, beside the columns to keep. #}
{% macro split_to_rows(relation, columns, text, separator) -%}
    {{ return(adapter.dispatch("split_to_rows", "tributary")(relation, columns, text, separator)) }}
{%- endmacro %}

{% macro default__split_to_rows(relation, columns, text, separator) -%}
    select
        {{ columns | join(', ') }},
        unnest(string_split({{ text }}, '{{ separator }}')) as part,
        generate_subscripts(string_split({{ text }}, '{{ separator }}'), 1) as position
    from {{ relation }}
{%- endmacro %}

{% macro spark__split_to_rows(relation, columns, text, separator) -%}
    select
        {{ columns | join(', ') }},
        part,
        index + 1 as position
    from {{ relation }}
    lateral view posexplode(split({{ text }}, '[{{ separator }}]')) parts as index, part
{%- endmacro %}

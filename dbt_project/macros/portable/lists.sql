{# Whether a list has a value. #}
{% macro in_list(list, value) -%}
    {{ return(adapter.dispatch("in_list", "tributary")(list, value)) }}
{%- endmacro %}

{% macro default__in_list(list, value) -%} list_contains({{ list }}, {{ value }}) {%- endmacro %}

{% macro spark__in_list(list, value) -%} array_contains({{ list }}, {{ value }}) {%- endmacro %}

{# The values of a group as a list, by the order of a number. #}
{% macro ordered_list(value, number) -%}
    {{ return(adapter.dispatch("ordered_list", "tributary")(value, number)) }}
{%- endmacro %}

{% macro default__ordered_list(value, number) -%} list({{ value }} order by {{ number }}) {%- endmacro %}

{% macro spark__ordered_list(value, number) -%}
    transform(array_sort(collect_list(struct({{ number }} as number, {{ value }} as value))), pair -> pair.value)
{%- endmacro %}

{# A list of names as one readable path: Display > Email > Direct. #}
{% macro path_of(list) -%}
    {{ return(adapter.dispatch("path_of", "tributary")(list)) }}
{%- endmacro %}

{% macro default__path_of(list) -%} array_to_string({{ list }}, ' > ') {%- endmacro %}

{% macro spark__path_of(list) -%} array_join({{ list }}, ' > ') {%- endmacro %}

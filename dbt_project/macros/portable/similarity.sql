{# How similar two texts are, 0 to 1; 1 for equal texts. Jaro-Winkler where the engine has it, because it weighs typing errors
   and a common beginning lightly. Else the share of the letters that need no edit. #}
{% macro similarity(one, other) -%}
    {{ return(adapter.dispatch("similarity", "tributary")(one, other)) }}
{%- endmacro %}

{% macro default__similarity(one, other) -%}
    jaro_winkler_similarity({{ one }}, {{ other }})
{%- endmacro %}

{% macro spark__similarity(one, other) -%}
    (1.0 - levenshtein({{ one }}, {{ other }}) / greatest(length({{ one }}), length({{ other }}), 1))
{%- endmacro %}

{# The words of a text in descending order, so that numbers such as years come last, where they weigh least:
   `us summer sale 2026` for `2026 us summer sale`. #}
{% macro sorted_words(text) -%}
    {{ return(adapter.dispatch("sorted_words", "tributary")(text)) }}
{%- endmacro %}

{% macro default__sorted_words(text) -%}
    array_to_string(list_reverse_sort(string_split({{ text }}, ' ')), ' ')
{%- endmacro %}

{% macro spark__sorted_words(text) -%}
    array_join(sort_array(split({{ text }}, ' '), false), ' ')
{%- endmacro %}

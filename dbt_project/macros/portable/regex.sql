{# Regular expressions in the dialect that RE2 and Java share. A null value matches nothing. #}
{% macro regex_matches(value, pattern) -%}
    {{ return(adapter.dispatch("regex_matches", "tributary")(value, pattern)) }}
{%- endmacro %}

{% macro default__regex_matches(value, pattern) -%}
    regexp_matches({{ value }}, {{ pattern }})
{%- endmacro %}

{# What the first group of a pattern caught; null where it caught nothing. #}
{% macro regex_capture(value, pattern) -%}
    {{ return(adapter.dispatch("regex_capture", "tributary")(value, pattern)) }}
{%- endmacro %}

{% macro default__regex_capture(value, pattern) -%}
    nullif(regexp_extract({{ value }}, {{ pattern }}, 1), '')
{%- endmacro %}

{# Every match replaced. #}
{% macro regex_replace(value, pattern, replacement) -%}
    {{ return(adapter.dispatch("regex_replace", "tributary")(value, pattern, replacement)) }}
{%- endmacro %}

{% macro default__regex_replace(value, pattern, replacement) -%}
    regexp_replace({{ value }}, {{ pattern }}, {{ replacement }}, 'g')
{%- endmacro %}

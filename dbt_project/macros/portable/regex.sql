{# Regular expressions in the dialect that RE2 and Java share. A null value matches nothing. A pattern is an SQL expression:
   a literal in quotes, or a column. #}
{% macro regex_matches(value, pattern) -%}
    {{ return(adapter.dispatch("regex_matches", "tributary")(value, pattern)) }}
{%- endmacro %}

{% macro default__regex_matches(value, pattern) -%}
    regexp_matches({{ value }}, {{ pattern }})
{%- endmacro %}

{% macro spark__regex_matches(value, pattern) -%}
    regexp_like({{ value }}, {{ raw_literal(pattern) }})
{%- endmacro %}

{# The text of a pattern's first group; null where it is empty or nothing matches. #}
{% macro regex_capture(value, pattern) -%}
    {{ return(adapter.dispatch("regex_capture", "tributary")(value, pattern)) }}
{%- endmacro %}

{% macro default__regex_capture(value, pattern) -%}
    nullif(regexp_extract({{ value }}, {{ pattern }}, 1), '')
{%- endmacro %}

{% macro spark__regex_capture(value, pattern) -%}
    nullif(regexp_extract({{ value }}, {{ raw_literal(pattern) }}, 1), '')
{%- endmacro %}

{# The value with every match replaced. `\1` in the replacement is the pattern's first group. #}
{% macro regex_replace(value, pattern, replacement) -%}
    {{ return(adapter.dispatch("regex_replace", "tributary")(value, pattern, replacement)) }}
{%- endmacro %}

{% macro default__regex_replace(value, pattern, replacement) -%}
    regexp_replace({{ value }}, {{ pattern }}, {{ replacement }}, 'g')
{%- endmacro %}

{% macro spark__regex_replace(value, pattern, replacement) -%}
    regexp_replace({{ value }}, {{ raw_literal(pattern) }}, {{ replacement | replace('\\1', '$1') }})
{%- endmacro %}

{# The pattern for Spark, which reads backslashes in a literal as escapes unless the literal is raw. #}
{% macro raw_literal(pattern) -%}
    {{ ("r" if pattern.startswith("'") else "") ~ pattern }}
{%- endmacro %}

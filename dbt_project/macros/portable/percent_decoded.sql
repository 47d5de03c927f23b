{# A URL component as text: `+` is a space, %XX is UTF-8. What is not valid UTF-8 stays as it was written, because a
   stranger's broken link must not stop the build. #}
{% macro percent_decoded(value) -%}
    {{ return(adapter.dispatch("percent_decoded", "tributary")(value)) }}
{%- endmacro %}

{% macro default__percent_decoded(value) -%}
    coalesce(try(url_decode(replace({{ value }}, '+', ' '))), {{ value }})
{%- endmacro %}

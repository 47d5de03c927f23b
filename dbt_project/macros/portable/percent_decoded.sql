{# A URL component as text: `+` is a space, %XX is UTF-8. A value that is not valid UTF-8 stays as it is, because a broken link
   must not stop the build. #}
{% macro percent_decoded(value) -%}
    {{ return(adapter.dispatch("percent_decoded", "tributary")(value)) }}
{%- endmacro %}

{% macro default__percent_decoded(value) -%}
    coalesce(try(url_decode(replace({{ value }}, '+', ' '))), {{ value }})
{%- endmacro %}

{# Spark decodes `+` too, and puts the replacement character U+FFFD for bytes that are not valid UTF-8. #}
{% macro spark__percent_decoded(value) -%}
    case
        when contains(try_url_decode({{ value }}), decode(unhex('EFBFBD'), 'UTF-8')) then {{ value }}
        else coalesce(try_url_decode({{ value }}), {{ value }})
    end
{%- endmacro %}

{# The host of a URL in lower case, without user, port and final dot; null where there is none. A bare `example.com/path`, which
   some trackers send, has a host too. #}
{% macro url_host(url) -%}
    {{ regex_replace(
        "coalesce("
        ~ regex_capture("lower(trim(" ~ url ~ "))", "'^(?:(?:https?|android-app|ios-app):)?//(?:[^/?#@]*@)?([^/?#:@]+)'")
        ~ ", "
        ~ regex_capture("lower(trim(" ~ url ~ "))", "'^([a-z0-9-]+(?:[.][a-z0-9-]+)*[.][a-z]{2,})(?:[/?#:]|$)'")
        ~ ")", "'[.]$'", "''"
    ) }}
{%- endmacro %}

{% macro without_www(host) -%}
    {{ regex_replace(host, "'^www[.]'", "''") }}
{%- endmacro %}

{# A campaign's name for comparison: decoded, in lower case, with one space for spaces, hyphens and underscores. #}
{% macro name_key(name) -%}
    trim({{ regex_replace("lower(" ~ percent_decoded(name) ~ ")", "'[\\s_-]+'", "' '") }})
{%- endmacro %}

{# The host of a URL in lower case, without user, port and final dot; null where there is none. A bare `example.com/path`,
   as some trackers send, has a host too. #}
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

{# A campaign's name as two people would spell it alike: decoded, lower case, spaces, hyphens and underscores the same. #}
{% macro name_key(name) -%}
    trim({{ regex_replace("lower(" ~ percent_decoded(name) ~ ")", "'[\\s_-]+'", "' '") }})
{%- endmacro %}

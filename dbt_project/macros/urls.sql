{# The host of a URL in lower case, without user, port and final dot; null where there is none. A bare `example.com/path`, which
   some trackers send, has a host too. An IPv6 address keeps its brackets. #}
{% macro url_host(url) -%}
    {{ regex_replace(
        "coalesce("
        ~ regex_capture(
            "lower(trim(" ~ url ~ "))",
            "'^(?:(?:https?|android-app|ios-app):)?//(?:[^/?#@]*@)?([\\[][0-9a-f:.]+[\\]]|[^/?#:@]+)'"
        )
        ~ ", "
        ~ regex_capture("lower(trim(" ~ url ~ "))", "'^([a-z0-9-]+(?:[.][a-z0-9-]+)*[.][a-z]{2,})(?:[/?#:]|$)'")
        ~ ")", "'[.]$'", "''"
    ) }}
{%- endmacro %}

{% macro without_www(host) -%}
    {{ regex_replace(host, "'^www[.]'", "''") }}
{%- endmacro %}

{# The domain that contains a host: parent_domain of 1 label and m.shop.example is shop.example. Null where no dot would be left. #}
{% macro parent_domain(host, labels) -%}
    {{ regex_capture(host, "'^(?:[^.]+[.]){" ~ labels ~ "}([^.]+[.].+)$'") }}
{%- endmacro %}

{# An address as its author means it: `&amp;` and its other spellings are `&`, as is an encoded ?, # or & before a utm parameter.
   Line breaks and tabs are dropped. #}
{% macro clean_address(url) -%}
    {{ regex_replace(
        regex_replace(
            regex_replace(url, "'&(?:(?i:amp;)|#0*38;|#[xX]26;)+|\\\\u0026'", "'&'"),
            "'%(?:3[fF]|23|26)((?i:utm_[a-z]+)=)'", "'&\\1'"
        ),
        "'[\\t\\r\\n]'", "''"
    ) }}
{%- endmacro %}

{# A campaign's name for comparison: decoded, in lower case, with one space for spaces, hyphens and underscores. #}
{% macro name_key(name) -%}
    trim({{ regex_replace("lower(" ~ percent_decoded(name) ~ ")", "'[\\s_-]+'", "' '") }})
{%- endmacro %}

{# A word for comparison: in lower case, without spaces, punctuation and brackets. `(none)`, `Facebook-Ads`, `PAID_SEARCH`. #}
{% macro word_key(text) -%}
    {{ regex_replace("lower(" ~ text ~ ")", "'[\\s_.,:;/|()-]+|\\[|\\]'", "''") }}
{%- endmacro %}

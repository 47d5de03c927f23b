{# A hash of the match keys that a link carries; null where it carries none, as most interactions do. #}
{% macro link_key(columns) -%}
    case
        when coalesce({{ columns | join(', ') }}) is not null
            then {{ hash_key(columns) }}
    end
{%- endmacro %}

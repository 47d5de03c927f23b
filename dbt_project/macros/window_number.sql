{# The number of the shortest window of the var `attribution_windows` that includes an age in days; one more than the number of
   windows where none does. #}
{% macro window_number(days) -%}
    case
        {%- for window in var('attribution_windows') %}
        when {{ days }} <= {{ window }} then {{ loop.index }}
        {%- endfor %}
        else {{ var('attribution_windows') | length + 1 }}
    end
{%- endmacro %}

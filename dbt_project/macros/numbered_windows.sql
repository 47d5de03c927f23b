{# The rows of the var `attribution_windows`, numbered in its order. days: the name of their column. #}
{% macro numbered_windows(days) -%}
    {%- for window in var('attribution_windows') %}
    select {{ loop.index }} as number, {{ window }} as {{ days }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
{%- endmacro %}

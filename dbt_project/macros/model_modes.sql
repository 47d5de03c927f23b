{# One row an attribution model and accounting mode. Constants, so that a published view does not need a table for them. #}
{% macro model_modes() -%}
    {%- for model in var('attribution_models') %}
    {%- set last_model = loop.last %}
    {%- for mode in ['cash', 'accrual'] %}
    select
        '{{ model }}' as attribution_model,
        '{{ mode }}' as accounting_mode
    {%- if not (last_model and loop.last) %}

    union all
{% endif %}
    {%- endfor %}
    {%- endfor %}
{%- endmacro %}

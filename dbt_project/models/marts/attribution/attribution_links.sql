{#- A view: a stored table would have seven times the rows of conversion_touches and only repeat its ids. -#}
{{ config(materialized='view') }}

with

attribution as (
    select * from {{ ref('conversion_touches') }}
),

final as (
    {%- for model in var('attribution_models') %}
    select
        org_id,
        conversion_id,
        conversion_type,
        touchpoint_id,
        '{{ model }}' as attribution_model,
        lookback_days,
        position,
        touchpoint_count,
        cast({{ as_conversions(model ~ "_credit") }} as decimal(18, 12)) as weight,
        {{ model }}_value_micros as attributed_value_micros
    from attribution
    where {{ model }}_credit > 0 or {{ model }}_value_micros <> 0
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
)

select * from final

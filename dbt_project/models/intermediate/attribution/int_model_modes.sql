with

attribution_models as (
    {%- for model in var('attribution_models') %}
    select '{{ model }}' as attribution_model
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

accounting_modes as (
    select 'cash' as accounting_mode

    union all

    select 'accrual' as accounting_mode
),

final as (
    select
        attribution_models.attribution_model,
        accounting_modes.accounting_mode,
    from attribution_models
    cross join accounting_modes
)

select * from final

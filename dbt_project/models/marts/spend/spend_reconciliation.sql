with

residuals as (
    select * from {{ ref('int_spend_residuals') }}
),

final as (
    select
        org_id,
        date,
        platform,
        account_id,
        level,
        case when level <> 'account' then campaign_id end as campaign_id,
        adset_id,
        currency,
        {%- for measure in spend_measures() %}
        reported_{{ measure }},
        children_{{ measure }},
        {{ measure }} as residual_{{ measure }},
        {%- endfor %}
        {% for measure in spend_measures() %}{{ measure }} = 0{{ " and " if not loop.last }}{% endfor %} as is_reconciled
    from residuals
)

select * from final
order by org_id, date, platform

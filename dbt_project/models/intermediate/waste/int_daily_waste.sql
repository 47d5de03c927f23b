with

spend as (
    select * from {{ ref('int_daily_spend') }}
),

waste as (
    select * from {{ ref('waste_flags') }}
),

flagged as (
    {%- for grain, ids in [
        ('AD', ['campaign_id', 'adset_id', 'ad_id']),
        ('ADSET', ['campaign_id', 'adset_id']),
        ('CAMPAIGN', ['campaign_id']),
    ] %}
    select
        spend.*,
        waste.attribution_model,
        {{ loop.index }} as preference,
        {{ rounded_share('spend.spend_micros', 'waste.waste_spend_micros', 'waste.spend_micros') }} as waste_spend_micros,
    from spend
    inner join waste
        on waste.grain = '{{ grain }}'
        and spend.org_id = waste.org_id
        and spend.platform = waste.platform
        {%- for id in ids %}
        and spend.{{ id }} = waste.{{ id }}
        {%- endfor %}
        and spend.date between waste.period_start and waste.period_end
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

-- The flag of the ad goes before its ad set's and its campaign's.
ranked as (
    select
        *,
        row_number() over (
            partition by org_id, date, platform, campaign_id, adset_id, ad_id, attribution_model
            order by preference
        ) as rank,
    from flagged
),

final as (
    select
        org_id,
        date,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        attribution_model,
        waste_spend_micros,
    from ranked
    where rank = 1
)

select * from final

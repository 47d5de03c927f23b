with

entities as (
    select * from {{ ref('stg_raw__ad_entities') }}
),

final as (
    select
        org_id,
        platform,
        account_id,
        level,
        entity_id,
        campaign_id,
        adset_id,
        creative_id,
        name,
        status,
        objective,
        destination_url,
        daily_budget_micros,
        lifetime_budget_micros,
        currency,
        valid_from,
        valid_until,
        is_current
    from entities
)

select * from final
order by org_id, platform, account_id, level, entity_id, valid_from

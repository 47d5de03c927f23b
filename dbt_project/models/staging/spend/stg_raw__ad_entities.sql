with

source as (
    select * from {{ source('raw', 'ad_entities') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

final as (
    select
        source.org_id,
        source.platform,
        source.account_id,
        source.level,
        source.entity_id,
        source.campaign_id,
        source.adset_id,
        source.creative_id,
        source.name,
        source.status,
        source.objective,
        source.destination_url,
        source.daily_budget_micros,
        source.lifetime_budget_micros,
        source.currency,
        source.valid_from,
        source.valid_until,
        source.valid_until is null as is_current
    from source
    inner join orgs using (org_id)
)

select * from final

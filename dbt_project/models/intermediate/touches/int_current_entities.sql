with

entities as (
    select * from {{ ref('stg_raw__ad_entities') }}
    where is_current
),

-- An id is unique on its platform. Where two accounts report it, the latest report counts.
ranked as (
    select
        *,
        row_number() over (
            partition by org_id, platform, level, entity_id
            order by valid_from desc, account_id
        ) as recency
    from entities
),

final as (
    select
        org_id,
        platform,
        level,
        entity_id,
        name,
        status,
        objective,
        daily_budget_micros,
        lifetime_budget_micros,
        currency
    from ranked
    where recency = 1
)

select * from final

with

conversion_touches as (
    select * from {{ ref('int_conversion_touches') }}
),

conversions as (
    select * from {{ ref('int_defined_conversions') }}
),

-- Platforms do not distinguish the org's conversion types. The main one is comparable.
main_types as (
    select * from {{ ref('stg_raw__conversion_definitions') }}
    where number = 1
),

-- A platform claims a conversion once for each campaign that touched it, on the day of the campaign's last touch
-- or of the purchase.
claims as (
    select
        org_id,
        conversion_id,
        platform,
        coalesce(campaign_id, '(unmatched)') as campaign_id,
        max(case when {{ dates_by_purchase() }} then conversion_date else touch_date end) as date
    from conversion_touches
    inner join main_types using (org_id, conversion_type)
    where platform not in ('(organic)', '(unmatched)')
    group by org_id, conversion_id, platform, coalesce(campaign_id, '(unmatched)')
),

claimed_conversions as (
    select
        org_id,
        conversion_id,
        min(platform) <> max(platform) as is_overlapping
    from claims
    group by org_id, conversion_id
),

final as (
    select
        claims.org_id,
        claims.date,
        claims.platform,
        claims.campaign_id,
        count(*) as touched_conversions,
        cast(sum(conversions.value_micros) as bigint) as touched_value_micros,
        sum(case when claimed_conversions.is_overlapping then 1 else 0 end) as overlap_conversions,
        cast(
            sum(case when claimed_conversions.is_overlapping then conversions.value_micros else 0 end) as bigint
        ) as overlap_value_micros
    from claims
    inner join claimed_conversions using (org_id, conversion_id)
    inner join conversions using (org_id, conversion_id)
    group by claims.org_id, claims.date, claims.platform, claims.campaign_id
)

select * from final

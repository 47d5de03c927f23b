with

fees as (
    select * from {{ ref('stg_raw__fees') }}
    where basis = 'conversion'
),

conversions as (
    select * from {{ ref('int_counted_conversions') }}
),

last_touches as (
    select * from {{ ref('int_conversion_touches') }}
    where position = touchpoint_count
),

touchpoints as (
    select * from {{ ref('int_touchpoints') }}
),

-- A creator code identifies the conversion's creator. Several creators can share a campaign, so the code goes first.
final as (
    select
        fees.org_id,
        fees.fee_id,
        conversions.conversion_id,
        fees.platform,
        fees.account_id,
        fees.campaign_id,
        fees.adset_id,
        fees.channel,
        conversions.date,
        fees.currency,
        fees.amount_micros
    from last_touches
    inner join conversions using (org_id, conversion_id)
    inner join touchpoints using (org_id, touchpoint_id)
    inner join fees
        on last_touches.org_id = fees.org_id
        and conversions.date between fees.starts_on and fees.ends_on
        and coalesce(fees.conversion_type, conversions.conversion_type) = conversions.conversion_type
        and case
            when fees.creator_code is not null then lower(fees.creator_code) = lower(touchpoints.creator_code)
            else fees.platform = last_touches.platform
                and fees.campaign_id = last_touches.campaign_id
                and coalesce(fees.adset_id = last_touches.adset_id, fees.adset_id is null)
        end
)

select * from final

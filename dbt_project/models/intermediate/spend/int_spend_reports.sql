{#- A view: a union of what is stored. -#}
{{ config(materialized='view') }}

with

ad_spend as (
    select * from {{ ref('stg_raw__ad_spend') }}
    where level is null
),

residuals as (
    select * from {{ ref('int_spend_residuals') }}
),

transactions as (
    select * from {{ ref('int_affiliate_transactions') }}
),

fee_days as (
    select * from {{ ref('int_daily_fees') }}
),

final as (
    select
        org_id,
        platform,
        account_id,
        campaign_id,
        adset_id,
        ad_id,
        date,
        currency,
        campaign,
        adset,
        ad,
        spend_micros,
        impressions,
        clicks,
        video_views,
        platform_conversions,
        platform_value_micros,
        cast(null as varchar) as channel,
    from ad_spend

    union all

    -- What a stated total has beyond all beneath it.
    select
        org_id,
        platform,
        account_id,
        campaign_id,
        adset_id,
        cast(null as varchar),
        date,
        currency,
        campaign,
        adset,
        cast(null as varchar),
        spend_micros,
        impressions,
        clicks,
        video_views,
        platform_conversions,
        platform_value_micros,
        cast(null as varchar),
    from residuals
    where {% for measure in spend_measures() %}{{ measure }} <> 0{{ " or " if not loop.last }}{% endfor %}

    union all

    -- What an affiliate is owed is spent the day the sale was made, once the network has approved it.
    select
        org_id,
        platform,
        coalesce(account_id, '(unmatched)'),
        coalesce(campaign_id, '(unmatched)'),
        affiliate_id,
        cast(null as varchar),
        date,
        original_currency,
        campaign,
        affiliate,
        cast(null as varchar),
        original_payout_micros,
        cast(null as bigint),
        cast(null as bigint),
        cast(null as bigint),
        cast(null as decimal(38, 6)),
        cast(null as bigint),
        'Affiliates',
    from transactions
    where status = 'approved' and original_payout_micros is not null

    union all

    select
        org_id,
        platform,
        account_id,
        campaign_id,
        adset_id,
        cast(null as varchar),
        date,
        currency,
        campaign,
        adset,
        cast(null as varchar),
        amount_micros,
        cast(null as bigint),
        cast(null as bigint),
        cast(null as bigint),
        cast(null as decimal(38, 6)),
        cast(null as bigint),
        channel,
    from fee_days
)

select * from final

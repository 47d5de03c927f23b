{#- A view: a union of what is stored. -#}
{{ config(materialized='view') }}

with

ad_spend as (
    select * from {{ ref('stg_raw__ad_spend') }}
),

transactions as (
    select * from {{ ref('int_affiliate_transactions') }}
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
        cast(null as varchar) as channel,
    from ad_spend

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
        'Affiliates',
    from transactions
    where status = 'approved' and original_payout_micros is not null
)

select * from final

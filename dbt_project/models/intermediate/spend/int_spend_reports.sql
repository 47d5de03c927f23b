{#- A view: a union of stored rows. -#}
{{ config(materialized='view') }}
{%- set text = dbt.type_string() %}

with

ad_spend as (
    select * from {{ ref('int_spend_rows') }}
    where level is null
),

residuals as (
    select * from {{ ref('int_spend_residuals') }}
),

transactions as (
    select * from {{ ref('int_affiliate_transactions') }}
),

daily_fees as (
    select * from {{ ref('int_daily_fees') }}
),

final as (
    select
        org_id,
        'ad_spend' as source,
        cast(null as {{ text }}) as source_id,
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
        cast(null as {{ text }}) as channel
    from ad_spend

    union all

    select
        org_id,
        'residual' as source,
        level as source_id,
        platform,
        account_id,
        campaign_id,
        adset_id,
        cast(null as {{ text }}) as ad_id,
        date,
        currency,
        campaign,
        adset,
        cast(null as {{ text }}) as ad,
        spend_micros,
        impressions,
        clicks,
        video_views,
        platform_conversions,
        platform_value_micros,
        cast(null as {{ text }}) as channel
    from residuals
    where {% for measure in spend_measures() %}{{ measure }} <> 0{{ " or " if not loop.last }}{% endfor %}

    union all

    -- An affiliate's payout counts as spend on the day of the sale, once the network has approved it.
    select
        org_id,
        'affiliate_transaction' as source,
        transaction_id as source_id,
        platform,
        coalesce(account_id, '(unmatched)') as account_id,
        coalesce(campaign_id, '(unmatched)') as campaign_id,
        affiliate_id as adset_id,
        cast(null as {{ text }}) as ad_id,
        date,
        original_currency as currency,
        campaign,
        affiliate as adset,
        cast(null as {{ text }}) as ad,
        original_payout_micros as spend_micros,
        cast(null as bigint) as impressions,
        cast(null as bigint) as clicks,
        cast(null as bigint) as video_views,
        cast(null as decimal(38, 6)) as platform_conversions,
        cast(null as bigint) as platform_value_micros,
        'Affiliates' as channel
    from transactions
    where status = 'approved' and original_payout_micros is not null

    union all

    select
        org_id,
        'fee' as source,
        fee_id as source_id,
        platform,
        account_id,
        campaign_id,
        adset_id,
        cast(null as {{ text }}) as ad_id,
        date,
        currency,
        campaign,
        adset,
        cast(null as {{ text }}) as ad,
        amount_micros as spend_micros,
        cast(null as bigint) as impressions,
        cast(null as bigint) as clicks,
        cast(null as bigint) as video_views,
        cast(null as decimal(38, 6)) as platform_conversions,
        cast(null as bigint) as platform_value_micros,
        channel
    from daily_fees
)

select * from final

{#- A view: the spend is stored already, and commissions are few. -#}
{{ config(materialized='view') }}

with

ad_spend as (
    select * from {{ ref('int_ad_spend') }}
),

commissions as (
    select * from {{ ref('int_commissions') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

rates as (
    select * from {{ ref('int_exchange_rates') }}
),

commissions_with_rate as (
    select
        commissions.org_id,
        commissions.fee_id,
        commissions.conversion_id,
        commissions.date,
        commissions.platform,
        commissions.account_id,
        commissions.campaign_id,
        commissions.adset_id,
        commissions.currency,
        commissions.channel,
        commissions.amount_micros,
        {{ rate_columns('commissions.currency', 'orgs.currency') }}
    from commissions
    inner join orgs using (org_id)
    left join rates
        on {{ rate_of_day('commissions.currency', 'orgs.currency', 'commissions.date') }}
),

final as (
    select
        org_id,
        source,
        source_id,
        date,
        platform,
        account_id,
        campaign_id,
        adset_id,
        ad_id,
        original_currency,
        original_spend_micros,
        impressions,
        clicks,
        spend_micros,
        channel,
        has_rate
    from ad_spend

    union all

    select
        org_id,
        'commission' as source,
        fee_id || '/' || conversion_id as source_id,
        date,
        platform,
        account_id,
        campaign_id,
        coalesce(adset_id, '(unmatched)') as adset_id,
        '(unmatched)' as ad_id,
        currency as original_currency,
        amount_micros as original_spend_micros,
        0 as impressions,
        0 as clicks,
        coalesce({{ rounded_share('amount_micros', 'numerator', 'denominator') }}, 0) as spend_micros,
        channel,
        numerator is not null as has_rate
    from commissions_with_rate
)

select * from final

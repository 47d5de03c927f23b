with

reports as (
    select * from {{ ref('int_spend_reports') }}
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

-- Commissions follow attribution, which reads the reports to know the campaigns: they come in here, not there.
spend as (
    select
        org_id,
        platform,
        account_id,
        campaign_id,
        adset_id,
        ad_id,
        date,
        currency,
        channel,
        {{ spend_measures() | join(',\n        ') }},
    from reports

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
        channel,
        amount_micros,
        cast(null as bigint),
        cast(null as bigint),
        cast(null as bigint),
        cast(null as decimal(38, 6)),
        cast(null as bigint),
    from commissions
),

with_rate as (
    select
        spend.*,
        orgs.currency as reporting_currency,
        case when spend.currency = orgs.currency then 1 else rates.numerator end as numerator,
        case when spend.currency = orgs.currency then 1 else rates.denominator end as denominator,
    from spend
    inner join orgs using (org_id)
    left join rates
        on spend.currency = rates.base
        and orgs.currency = rates.quote
        and spend.currency <> orgs.currency
        and spend.date >= rates.valid_from
        and (spend.date < rates.valid_until or rates.valid_until is null)
),

final as (
    select
        org_id,
        date,
        platform,
        account_id,
        campaign_id,
        coalesce(adset_id, '(unmatched)') as adset_id,
        coalesce(ad_id, '(unmatched)') as ad_id,
        currency as original_currency,
        spend_micros as original_spend_micros,
        platform_value_micros as original_platform_value_micros,
        coalesce(impressions, 0) as impressions,
        coalesce(clicks, 0) as clicks,
        coalesce(video_views, 0) as video_views,
        coalesce(platform_conversions, 0) as platform_conversions,
        coalesce({{ rounded_share('spend_micros', 'numerator', 'denominator') }}, 0) as spend_micros,
        coalesce({{ rounded_share('platform_value_micros', 'numerator', 'denominator') }}, 0) as platform_value_micros,
        channel,
        numerator is not null as has_rate,
    from with_rate
)

select * from final

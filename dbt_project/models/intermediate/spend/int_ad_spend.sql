with

reports as (
    select * from {{ ref('int_spend_reports') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

rates as (
    select * from {{ ref('int_exchange_rates') }}
),

with_rate as (
    select
        reports.org_id,
        reports.source,
        reports.source_id,
        reports.date,
        reports.platform,
        reports.account_id,
        reports.campaign_id,
        reports.adset_id,
        reports.ad_id,
        reports.currency,
        reports.channel,
        {%- for measure in spend_measures() %}
        reports.{{ measure }},
        {%- endfor %}
        {{ rate_columns('reports.currency', 'orgs.currency') }}
    from reports
    inner join orgs using (org_id)
    left join rates
        on {{ rate_of_day('reports.currency', 'orgs.currency', 'reports.date') }}
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
        coalesce(adset_id, '(unmatched)') as adset_id,
        coalesce(ad_id, '(unmatched)') as ad_id,
        currency as original_currency,
        spend_micros as original_spend_micros,
        coalesce(impressions, 0) as impressions,
        coalesce(clicks, 0) as clicks,
        coalesce(platform_conversions, 0) as platform_conversions,
        coalesce({{ rounded_share('spend_micros', 'numerator', 'denominator') }}, 0) as spend_micros,
        coalesce({{ rounded_share('platform_value_micros', 'numerator', 'denominator') }}, 0) as platform_value_micros,
        channel,
        numerator is not null as has_rate
    from with_rate
)

select * from final

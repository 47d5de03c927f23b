with

credit as (
    select * from {{ ref('int_daily_credit') }}
    where accounting_mode = 'cash'
),

spend as (
    select * from {{ ref('int_spend_with_commissions') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

attribution_models as (
    select * from {{ ref('int_model_modes') }}
    where accounting_mode = 'cash'
),

campaign_channels as (
    select * from {{ ref('int_campaign_channels') }}
),

platform_channels as (
    select * from {{ ref('platform_channels') }}
),

-- Platforms bill campaigns, not channels. A campaign's spend belongs to the paid channel of most of its touches, else to
-- the usual channel of its platform.
channel_spend as (
    select
        spend.org_id,
        spend.date,
        coalesce(campaign_channels.channel, spend.channel, platform_channels.channel, '(unmatched)') as channel,
        spend.platform,
        sum(spend.spend_micros) as spend_micros
    from spend
    left join campaign_channels using (org_id, platform, campaign_id)
    left join platform_channels using (platform)
    group by
        spend.org_id,
        spend.date,
        coalesce(campaign_channels.channel, spend.channel, platform_channels.channel, '(unmatched)'),
        spend.platform
),

unioned as (
    select
        org_id,
        date,
        channel,
        platform,
        attribution_model,
        lookback_days,
        credit,
        value_micros,
        0 as spend_micros
    from credit

    union all

    select
        channel_spend.org_id,
        channel_spend.date,
        channel_spend.channel,
        channel_spend.platform,
        attribution_models.attribution_model,
        orgs.lookback_days,
        0 as credit,
        0 as value_micros,
        channel_spend.spend_micros
    from channel_spend
    inner join orgs using (org_id)
    cross join attribution_models
),

summed as (
    select
        org_id,
        date,
        channel,
        platform,
        attribution_model,
        lookback_days,
        {{ as_conversions("sum(credit)") }} as conversions,
        cast(sum(value_micros) as bigint) as conversion_value_micros,
        cast(sum(spend_micros) as bigint) as spend_micros
    from unioned
    group by org_id, date, channel, platform, attribution_model, lookback_days
),

final as (
    select
        org_id,
        date,
        channel,
        platform,
        attribution_model,
        lookback_days,
        conversions,
        conversion_value_micros,
        spend_micros,
        conversion_value_micros / cast(nullif(spend_micros, 0) as double) as roas,
        spend_micros / 1e6 / nullif(conversions, 0) as cpa
    from summed
)

select * from final
order by org_id, date, channel

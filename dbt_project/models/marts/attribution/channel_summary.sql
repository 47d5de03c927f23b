with

credit as (
    select * from {{ ref('int_daily_credit') }}
    where accounting_mode = 'cash'
),

channel_spend as (
    select * from {{ ref('int_channel_spend') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

attribution_models as (
    select * from {{ ref('int_model_modes') }}
    where accounting_mode = 'cash'
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

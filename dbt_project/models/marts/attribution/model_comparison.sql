with

credit as (
    select * from {{ ref('channel_credit') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

by_channel as (
    select
        org_id,
        conversion_type,
        lookback_days,
        channel,
        attribution_model,
        sum(conversions) as conversions,
        sum(conversion_value_micros) as value_micros
    from credit
    group by org_id, conversion_type, lookback_days, channel, attribution_model
),

-- A channel without credit under a model has a row, too: a comparison needs its zero.
channels as (
    select distinct
        org_id,
        conversion_type,
        lookback_days,
        channel
    from by_channel
),

attribution_models as (
    select * from {{ ref('int_model_modes') }}
    where accounting_mode = 'cash'
),

compared as (
    select
        channels.org_id,
        channels.conversion_type,
        channels.lookback_days,
        channels.channel,
        attribution_models.attribution_model,
        coalesce(by_channel.conversions, 0) as conversions,
        coalesce(by_channel.value_micros, 0) as value_micros,
        max(case when attribution_models.attribution_model = orgs.default_attribution_model then coalesce(by_channel.conversions, 0) end)
            over channel as default_conversions,
        max(case when attribution_models.attribution_model = orgs.default_attribution_model then coalesce(by_channel.value_micros, 0) end)
            over channel as default_value_micros
    from channels
    inner join orgs using (org_id)
    cross join attribution_models
    left join by_channel
        on channels.org_id = by_channel.org_id
        and channels.conversion_type = by_channel.conversion_type
        and channels.lookback_days = by_channel.lookback_days
        and channels.channel = by_channel.channel
        and attribution_models.attribution_model = by_channel.attribution_model
    window channel as (partition by channels.org_id, channels.conversion_type, channels.lookback_days, channels.channel)
),

final as (
    select
        org_id,
        conversion_type,
        lookback_days,
        channel,
        attribution_model,
        cast(conversions as decimal(38, 12)) as conversions,
        cast(value_micros as bigint) as conversion_value_micros,
        cast(conversions as double)
            / nullif(
                cast(sum(conversions) over (partition by org_id, conversion_type, lookback_days, attribution_model) as double), 0
            ) as conversions_share,
        cast(conversions - default_conversions as decimal(38, 12)) as conversions_difference,
        cast(value_micros - default_value_micros as bigint) as value_difference_micros
    from compared
)

select * from final
order by org_id, conversion_type, lookback_days, channel, attribution_model

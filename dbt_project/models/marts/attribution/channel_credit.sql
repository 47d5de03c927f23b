with

main_window_credit as (
    select * from {{ ref('int_daily_credit') }}
    where accounting_mode = 'cash' and is_main_window
),

window_credit as (
    select * from {{ ref('int_window_credit') }}
),

conversion_windows as (
    select * from {{ ref('conversion_windows') }}
),

-- The lookback window comes from the same touches as all other marts.
unioned as (
    select
        org_id,
        date,
        conversion_type,
        attribution_model,
        lookback_days,
        channel,
        platform,
        campaign_id,
        credit,
        value_micros
    from main_window_credit

    union all

    select
        window_credit.org_id,
        window_credit.date,
        window_credit.conversion_type,
        window_credit.attribution_model,
        window_credit.lookback_days,
        window_credit.channel,
        window_credit.platform,
        window_credit.campaign_id,
        window_credit.credit,
        window_credit.value_micros
    from window_credit
    inner join conversion_windows using (org_id, conversion_type, lookback_days)
    where not conversion_windows.is_main_window
),

final as (
    select
        org_id,
        date,
        conversion_type,
        attribution_model,
        lookback_days,
        channel,
        platform,
        campaign_id,
        {{ as_conversions('sum(credit)') }} as conversions,
        cast(sum(value_micros) as bigint) as conversion_value_micros
    from unioned
    group by org_id, date, conversion_type, attribution_model, lookback_days, channel, platform, campaign_id
)

-- Readers ask for one org, model and window and some days: sorted so, they skip the rest of the file.
select * from final
order by org_id, conversion_type, attribution_model, lookback_days, date

with

fees as (
    select * from {{ ref('stg_raw__fees') }}
    where basis = 'period'
),

last_activity as (
    select * from {{ ref('int_org_last_activity') }}
),

-- Days after the org's last activity are agreed, but not yet spent.
days as (
    select
        fees.org_id,
        fees.fee_id,
        fees.platform,
        fees.account_id,
        fees.campaign_id,
        fees.campaign,
        fees.adset_id,
        fees.adset,
        fees.channel,
        fees.currency,
        fees.amount_micros,
        fees.starts_on,
        fees.ends_on,
        {{ each_day('fees.starts_on', 'least(fees.ends_on, coalesce(last_activity.last_date, fees.ends_on))') }} as date
    from fees
    left join last_activity using (org_id)
),

numbered as (
    select
        *,
        {{ dbt.datediff('starts_on', 'date', 'day') }} as days_before,
        {{ dbt.datediff('starts_on', 'ends_on', 'day') }} + 1 as day_count
    from days
),

-- A day's part is the rounded share of the days up to it less that of the days before it, so that the parts sum to the
-- fee exactly.
final as (
    select
        org_id,
        fee_id,
        platform,
        account_id,
        campaign_id,
        campaign,
        adset_id,
        adset,
        channel,
        date,
        currency,
        {{ rounded_share('amount_micros', '(days_before + 1)', 'day_count') }}
            - {{ rounded_share('amount_micros', 'days_before', 'day_count') }} as amount_micros
    from numbered
)

select * from final

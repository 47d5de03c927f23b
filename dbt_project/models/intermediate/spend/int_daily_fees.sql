with

fees as (
    select * from {{ ref('stg_raw__fees') }}
    where basis = 'period'
),

last_days as (
    select * from {{ ref('int_org_last_activity') }}
),

-- Days that lie ahead are agreed, but not spent yet.
days as (
    select
        fees.*,
        {{ each_day('fees.starts_on', 'least(fees.ends_on, coalesce(last_days.last_date, fees.ends_on))') }} as date,
    from fees
    left join last_days using (org_id)
),

numbered as (
    select
        *,
        {{ dbt.datediff('starts_on', 'date', 'day') }} as days_before,
        {{ dbt.datediff('starts_on', 'ends_on', 'day') }} + 1 as day_count,
    from days
),

-- The rounded share of the days up to this one less that of the days before it: the days sum to the fee exactly.
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
            - {{ rounded_share('amount_micros', 'days_before', 'day_count') }} as amount_micros,
    from numbered
)

select * from final

{#- A view: only input_checks reads it. -#}
{{ config(materialized='view') }}
with

conversions as (
    select * from {{ ref('int_counted_conversions') }}
),

spend as (
    select * from {{ ref('int_daily_spend') }}
),

last_activity as (
    select * from {{ ref('int_org_last_activity') }}
),

daily as (
    select
        org_id,
        cast(null as {{ dbt.type_string() }}) as platform,
        date,
        sum(value_micros) as amount_micros,
        count(*) as row_count
    from conversions
    group by org_id, date

    union all

    select
        org_id,
        platform,
        date,
        sum(spend_micros) as amount_micros,
        -- Spend needs no number of rows to be more than chance.
        {{ var('weekday_change_min_conversions') }} as row_count
    from spend
    where spend_micros > 0
    group by org_id, platform, date
),

measured as (
    select distinct
        org_id,
        platform
    from daily
),

-- The last day may be incomplete.
days as (
    select
        org_id,
        {{ each_day(dbt.dateadd('day', -28, 'last_date'), dbt.dateadd('day', -1, 'last_date')) }} as date
    from last_activity
),

usual as (
    select
        measured.org_id,
        measured.platform,
        days.date,
        count(*) as weeks,
        sum(before.amount_micros) / 4 as amount_micros,
        sum(before.row_count) / 4 as row_count
    from measured
    inner join days using (org_id)
    inner join daily as before
        on measured.org_id = before.org_id
        and measured.platform is not distinct from before.platform
        and {{ dbt.datediff('before.date', 'days.date', 'day') }} in (7, 14, 21, 28)
    group by measured.org_id, measured.platform, days.date
),

compared as (
    select
        usual.org_id,
        usual.platform,
        usual.date,
        usual.amount_micros as usual_micros,
        coalesce(daily.amount_micros, 0) as amount_micros
    from usual
    left join daily
        on usual.org_id = daily.org_id
        and usual.platform is not distinct from daily.platform
        and usual.date = daily.date
    where usual.weeks = 4
        and usual.amount_micros > 0
        and usual.row_count >= {{ var('weekday_change_min_conversions') }}
),

final as (
    select
        org_id,
        platform,
        date,
        case when amount_micros <= 0 then 'fell_to_zero' else 'tripled' end as change,
        case
            when amount_micros <= 0 then usual_micros
            else amount_micros - usual_micros
        end as difference_micros
    from compared
    where amount_micros <= 0 or amount_micros > 3 * usual_micros
)

select * from final

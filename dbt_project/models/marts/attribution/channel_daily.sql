with

spend as (
    select * from {{ ref('int_channel_spend') }}
),

credit as (
    select * from {{ ref('int_org_model_credit') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

conversion_windows as (
    select * from {{ ref('conversion_windows') }}
    where is_main_type and is_main_window
),

totals as (
    {{ daily_totals(['org_id', 'date', 'channel']) }}
),

final as (
    select
        totals.org_id,
        totals.date,
        totals.channel,
{{ daily_figures() }}
    from totals
    inner join orgs using (org_id)
    inner join conversion_windows using (org_id)
)

select * from final
order by org_id, date, channel

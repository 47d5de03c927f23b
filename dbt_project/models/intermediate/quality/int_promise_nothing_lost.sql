{#- A view, like promises itself: it is asked when publishing, not when it was built. -#}
{{ config(materialized='view') }}

with

topmost_spend as (
    select * from {{ ref('int_top_level_spend') }}
),

transactions as (
    select * from {{ ref('int_affiliate_transactions') }}
    where status = 'approved'
),

fees as (
    select * from {{ ref('stg_raw__fees') }}
    where basis = 'period'
),

last_days as (
    select * from {{ ref('int_org_last_activity') }}
),

commissions as (
    select * from {{ ref('int_commissions') }}
),

reported_spend as (
    select * from {{ ref('int_spend_reports') }}
),

spend as (
    select * from {{ ref('int_ad_spend') }}
),

events as (
    select * from {{ ref('stg_raw__events') }}
),

interactions as (
    select * from {{ ref('stg_raw__interactions') }}
),

reported_conversions as (
    select * from {{ ref('stg_raw__conversions') }}
),

left_out as (
    select * from {{ ref('int_excluded_events') }}
),

sessions as (
    select * from {{ ref('sessions') }}
),

reported_refunds as (
    select * from {{ ref('stg_raw__refunds') }}
),

refunds as (
    select * from {{ ref('int_refunds') }}
),

conversions as (
    select * from {{ ref('conversions') }}
),

quarantine as (
    select * from {{ ref('quarantine') }}
),

touchpoints as (
    select * from {{ ref('touchpoints') }}
),

-- A fee's share for the days of it that are over.
fees_so_far as (
    select
        fees.org_id,
        {{ rounded_share(
            'fees.amount_micros',
            'greatest(' ~ dbt.datediff('fees.starts_on', 'least(fees.ends_on, coalesce(last_days.last_date, fees.ends_on))', 'day') ~ ' + 1, 0)',
            '(' ~ dbt.datediff('fees.starts_on', 'fees.ends_on', 'day') ~ ' + 1)',
        ) }} as amount_micros,
    from fees
    left join last_days using (org_id)
),

final as (
    select
        'conversions received are conversions, or set aside with a reason' as what,
        org_id,
        null as attribution_model,
        null as accounting_mode,
        null as grain,
        sum(received) as expected,
        sum(kept) as actual,
    from (
        select org_id, count(*) as received, 0 as kept from events where type = 'CONVERSION' group by org_id
        union all
        select org_id, count(*), 0 from reported_conversions group by org_id
        union all
        select org_id, 0, count(*) from conversions group by org_id
        union all
        select org_id, 0, count(*) from quarantine
        where source = 'conversions' and reason <> 'no_exchange_rate'
        group by org_id
    ) as conversion_counts
    group by org_id

    union all

    select
        'events received are in sessions, or left out as of bots or as probable duplicates',
        org_id,
        null,
        null,
        null,
        sum(received),
        sum(kept),
    from (
        select org_id, count(*) as received, 0 as kept from events group by org_id
        union all
        select org_id, 0, sum(events) from sessions group by org_id
        union all
        select org_id, 0, count(*) from left_out group by org_id
    ) as event_counts
    group by org_id

    union all

    select
        'refunds received reduce a conversion, or are set aside with a reason',
        org_id,
        null,
        null,
        null,
        sum(received),
        sum(kept),
    from (
        select org_id, count(*) as received, 0 as kept from reported_refunds group by org_id
        union all
        select org_id, count(*), 0 from events where type = 'REFUND' group by org_id
        union all
        select org_id, 0, count(*) from refunds where exclusion_reason is null and conversion_id is not null group by org_id
        union all
        select org_id, 0, count(*) from quarantine
        where source = 'refunds' and reason <> 'refund_exceeds_value'
        group by org_id
    ) as refund_counts
    group by org_id

    union all

    select
        'interactions received are touchpoints',
        interactions.org_id,
        null,
        null,
        null,
        count(*),
        count(distinct touchpoints.touchpoint_id),
    from interactions
    left join touchpoints
        on interactions.org_id = touchpoints.org_id
        and interactions.interaction_id = touchpoints.touchpoint_id
    group by interactions.org_id

    union all

    select
        'spend that platforms, networks and fees state is in the spend reports, in original micros',
        org_id,
        null,
        null,
        null,
        sum(received),
        sum(kept),
    from (
        select org_id, sum(spend_micros) as received, 0 as kept from topmost_spend group by org_id
        union all
        select org_id, sum(coalesce(original_payout_micros, 0)), 0 from transactions group by org_id
        union all
        select org_id, sum(amount_micros), 0 from fees_so_far group by org_id
        union all
        select org_id, 0, sum(spend_micros) from reported_spend group by org_id
    ) as stated_sums
    group by org_id

    union all

    select
        'spend reports and commissions are converted, in original micros',
        org_id,
        null,
        null,
        null,
        sum(received),
        sum(kept),
    from (
        select org_id, sum(spend_micros) as received, 0 as kept from reported_spend group by org_id
        union all
        select org_id, sum(amount_micros), 0 from commissions group by org_id
        union all
        select org_id, 0, sum(original_spend_micros) from spend group by org_id
    ) as spend_sums
    group by org_id
)

select * from final

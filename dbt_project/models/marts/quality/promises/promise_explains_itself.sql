{#- Ephemeral: a part of the mart `promises`, which publishing reads. -#}
{{ config(materialized='ephemeral') }}
{%- set text = dbt.type_string() %}

with

attribution_links as (
    select * from {{ ref('attribution_links') }}
),

waste_flags as (
    select * from {{ ref('waste_flags') }}
),

touchpoints as (
    select * from {{ ref('touchpoints') }}
),

attribution_candidates as (
    select * from {{ ref('attribution_candidates') }}
),

conversion_touches as (
    select * from {{ ref('conversion_touches') }}
),

touch_counts as (
    select
        org_id,
        count(*) as credited,
        0 as shown
    from conversion_touches
    group by org_id

    union all

    select
        org_id,
        0 as credited,
        count(*) as shown
    from attribution_candidates
    where is_kept
    group by org_id
),

final as (
    select
        'flags_have_evidence' as check_name,
        org_id,
        cast(null as {{ text }}) as conversion_type,
        cast(null as {{ text }}) as attribution_model,
        cast(null as integer) as lookback_days,
        cast(null as {{ text }}) as accounting_mode,
        cast(null as {{ text }}) as grain,
        count(*) as expected,
        sum(case
            when explanation is not null
                and recommendation is not null
                and waste_spend_micros between 1 and spend_micros then 1
            else 0
        end) as actual
    from waste_flags
    group by org_id

    union all

    select
        'links_have_touches' as check_name,
        attribution_links.org_id,
        attribution_links.conversion_type,
        attribution_links.attribution_model,
        attribution_links.lookback_days,
        cast(null as {{ text }}) as accounting_mode,
        cast(null as {{ text }}) as grain,
        count(*) as expected,
        count(touchpoints.touchpoint_id) as actual
    from attribution_links
    left join touchpoints using (org_id, touchpoint_id)
    group by
        attribution_links.org_id,
        attribution_links.conversion_type,
        attribution_links.attribution_model,
        attribution_links.lookback_days

    union all

    select
        'credited_touches_are_kept' as check_name,
        org_id,
        cast(null as {{ text }}) as conversion_type,
        cast(null as {{ text }}) as attribution_model,
        cast(null as integer) as lookback_days,
        cast(null as {{ text }}) as accounting_mode,
        cast(null as {{ text }}) as grain,
        sum(credited) as expected,
        sum(shown) as actual
    from touch_counts
    group by org_id
)

select * from final

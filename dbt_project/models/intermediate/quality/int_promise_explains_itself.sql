{#- A view, like promises itself: it is asked when publishing, not when it was built. -#}
{{ config(materialized='view') }}

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

final as (
    select
        'waste flags with evidence, threshold and recommendation' as what,
        org_id,
        null as attribution_model,
        null as accounting_mode,
        null as grain,
        count(*) as expected,
        sum(case
            when explanation is not null
                and recommendation is not null
                and waste_spend_micros between 1 and spend_micros then 1
            else 0
        end) as actual,
    from waste_flags
    group by org_id

    union all

    select
        'links to a touch that can be shown',
        attribution_links.org_id,
        attribution_links.attribution_model,
        null,
        null,
        count(*),
        count(touchpoints.touchpoint_id),
    from attribution_links
    left join touchpoints using (org_id, touchpoint_id)
    group by attribution_links.org_id, attribution_links.attribution_model

    union all

    select
        'touches that count, shown as kept',
        org_id,
        null,
        null,
        null,
        sum(credited),
        sum(shown),
    from (
        select org_id, count(*) as credited, 0 as shown from conversion_touches group by org_id
        union all
        select org_id, 0, count(*) from attribution_candidates where is_kept group by org_id
    ) as touch_counts
    group by org_id
)

select * from final

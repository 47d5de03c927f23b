with

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

final as (
    select
        org_id,
        currency,
        timezone,
        lookback_days,
        default_attribution_model,
        direct,
        half_life_days,
        first_touch_percent,
        last_touch_percent,
        path_transform,
        target_cpa_micros,
        target_roas
    from orgs
)

select * from final
order by org_id

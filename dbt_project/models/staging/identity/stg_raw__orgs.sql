with

source as (
    select * from {{ source('raw', 'orgs') }}
),

final as (
    select
        org_id,
        currency,
        timezone,
        lookback_days,
        rollup_windows,
        default_attribution_model,
        target_cpa_micros,
        target_roas,
        ignored_referrers,
        half_life_days,
        first_touch_percent,
        last_touch_percent,
        direct,
        path_transform
    from source
)

select * from final

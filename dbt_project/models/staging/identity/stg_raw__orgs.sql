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
        default_attribution_model,
        target_cpa_micros,
        target_roas,
        ignored_referrers
    from source
)

select * from final

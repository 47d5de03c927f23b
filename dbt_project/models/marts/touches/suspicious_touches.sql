with

suspicious_touches as (
    select * from {{ ref('int_suspicious_touches') }}
),

final as (
    select
        org_id,
        touchpoint_id,
        reason,
        evidence,
        is_excluded,
        site_id,
        visitor_id,
        occurred_at,
        channel,
        platform,
        campaign_id,
        campaign,
        creator_code
    from suspicious_touches
)

select * from final
order by org_id, occurred_at, touchpoint_id, reason

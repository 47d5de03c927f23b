with

merged_touches as (
    select * from {{ ref('int_merged_touches') }}
),

touchpoints as (
    select * from {{ ref('int_touchpoints') }}
),

final as (
    select
        merged_touches.org_id,
        merged_touches.touchpoint_id,
        merged_touches.merged_into,
        reports.occurred_at,
        cast(round(86400 * {{ days_between('reports.occurred_at', 'touches.occurred_at') }}) as bigint) as seconds_before_touch,
        reports.touch_type,
        reports.channel,
        reports.platform,
        reports.source,
        reports.medium,
        reports.campaign,
        reports.content,
        reports.campaign_id,
        reports.site_id,
        reports.visitor_id,
        reports.customer_id,
        reports.person_key
    from merged_touches
    inner join touchpoints as reports using (org_id, touchpoint_id)
    inner join touchpoints as touches
        on merged_touches.org_id = touches.org_id
        and merged_touches.merged_into = touches.touchpoint_id
)

select * from final
order by org_id, occurred_at, touchpoint_id

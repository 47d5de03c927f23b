{#- A view: the table behind it is the largest of the warehouse, and intermediate models read it too. -#}
{{ config(materialized='view') }}

with

touchpoints as (
    select * from {{ ref('int_touchpoints') }}
),

merged_touches as (
    select * from {{ ref('int_merged_touches') }}
),

merged_reports as (
    select
        org_id,
        merged_into as touchpoint_id,
        count(*) as merged_reports
    from merged_touches
    group by org_id, merged_into
),

final as (
    select
        touchpoints.touchpoint_id,
        touchpoints.org_id,
        touchpoints.site_id,
        touchpoints.visitor_id,
        touchpoints.customer_id,
        touchpoints.session_id,
        touchpoints.occurred_at,
        touchpoints.touch_type,
        touchpoints.channel,
        touchpoints.platform,
        touchpoints.source,
        touchpoints.medium,
        touchpoints.campaign,
        touchpoints.content,
        touchpoints.term,
        touchpoints.campaign_id,
        touchpoints.adset_id,
        touchpoints.ad_id,
        touchpoints.click_id_type,
        touchpoints.click_id,
        touchpoints.creator_code,
        touchpoints.landing_url,
        touchpoints.referrer_host,
        touchpoints.device_type,
        touchpoints.is_direct,
        touchpoints.campaign_match,
        touchpoints.person_key,
        touchpoints.sample_weight,
        touchpoints.country,
        cast(coalesce(merged_reports.merged_reports, 0) as integer) as merged_reports
    from touchpoints
    left join merged_touches using (org_id, touchpoint_id)
    left join merged_reports using (org_id, touchpoint_id)
    where merged_touches.touchpoint_id is null
)

select * from final

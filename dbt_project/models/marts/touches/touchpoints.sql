{#- A view: the table behind it is the largest of the warehouse, and intermediate models read it too. -#}
{{ config(materialized='view') }}

with

touchpoints as (
    select * from {{ ref('int_touchpoints') }}
),

final as (
    select
        touchpoint_id,
        org_id,
        site_id,
        visitor_id,
        customer_id,
        session_id,
        occurred_at,
        touch_type,
        channel,
        platform,
        source,
        medium,
        campaign,
        content,
        term,
        campaign_id,
        adset_id,
        ad_id,
        click_id_type,
        click_id,
        creator_code,
        landing_url,
        referrer_host,
        device_type,
        is_direct,
        campaign_match,
        person_key,
        sample_weight,
        country
    from touchpoints
)

select * from final

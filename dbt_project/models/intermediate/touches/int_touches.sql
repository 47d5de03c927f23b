{#- A view: ten million interactions pass through it on their way to the mart and need no copy of their own. -#}
{{ config(materialized='view') }}

with

web_touches as (
    select * from {{ ref('int_web_touches') }}
),

interactions as (
    select * from {{ ref('stg_raw__interactions') }}
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
        '(web)' as given_touch_type,
        cast(null as varchar) as given_channel,
        cast(null as varchar) as given_platform,
        source,
        medium,
        campaign,
        content,
        term,
        campaign_id,
        cast(null as varchar) as adset_id,
        ad_id,
        click_id_type,
        click_id,
        link_key,
        creator_code,
        landing_url,
        referrer_host,
        device_type,
        sample_weight,
        country,
    from web_touches

    union all

    select
        interaction_id,
        org_id,
        site_id,
        visitor_id,
        customer_id,
        cast(null as varchar),
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
        cast(null as varchar),
        cast(null as varchar),
        {{ link_key(['creator_code']) }},
        creator_code,
        cast(null as varchar),
        cast(null as varchar),
        cast(null as varchar),
        1,
        cast(null as varchar),
    from interactions
)

select * from final

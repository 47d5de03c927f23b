{#- A view: a stored copy of ten million interactions would serve no reader but int_touchpoints. -#}
{{ config(materialized='view') }}

{%- set text = dbt.type_string() %}

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
        given_channel,
        cast(null as {{ text }}) as given_platform,
        source,
        medium,
        campaign,
        content,
        term,
        campaign_id,
        cast(null as {{ text }}) as adset_id,
        ad_id,
        click_id_type,
        click_id,
        link_key,
        creator_code,
        landing_url,
        referrer_host,
        device_type,
        sample_weight,
        country
    from web_touches

    union all

    select
        interaction_id as touchpoint_id,
        org_id,
        site_id,
        visitor_id,
        customer_id,
        cast(null as {{ text }}) as session_id,
        occurred_at,
        touch_type as given_touch_type,
        channel as given_channel,
        platform as given_platform,
        source,
        medium,
        campaign,
        content,
        term,
        campaign_id,
        adset_id,
        ad_id,
        cast(null as {{ text }}) as click_id_type,
        cast(null as {{ text }}) as click_id,
        {{ link_key(['creator_code']) }} as link_key,
        creator_code,
        cast(null as {{ text }}) as landing_url,
        cast(null as {{ text }}) as referrer_host,
        cast(null as {{ text }}) as device_type,
        1 as sample_weight,
        cast(null as {{ text }}) as country
    from interactions
)

select * from final

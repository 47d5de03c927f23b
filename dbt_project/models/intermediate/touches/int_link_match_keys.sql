{%- set text = dbt.type_string() -%}
with

web_touches as (
    select * from {{ ref('int_web_touches') }}
),

interactions as (
    select * from {{ ref('stg_raw__interactions') }}
),

final as (
    select
        link_key,
        clicked_campaign_id,
        clicked_adset_id,
        clicked_ad_id,
        url_campaign_id,
        url_campaign_platform,
        url_adset_id,
        url_ad_id,
        ad_content,
        creator_code
    from web_touches
    where link_key is not null

    union

    select
        {{ link_key(['creator_code']) }} as link_key,
        cast(null as {{ text }}) as clicked_campaign_id,
        cast(null as {{ text }}) as clicked_adset_id,
        cast(null as {{ text }}) as clicked_ad_id,
        cast(null as {{ text }}) as url_campaign_id,
        cast(null as {{ text }}) as url_campaign_platform,
        cast(null as {{ text }}) as url_adset_id,
        cast(null as {{ text }}) as url_ad_id,
        cast(null as {{ text }}) as ad_content,
        creator_code
    from interactions
    where creator_code is not null
)

select * from final

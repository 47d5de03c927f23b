{%- set text = dbt.type_string() -%}
with

spend as (
    select * from {{ ref('int_spend_reports') }}
),

fees as (
    select * from {{ ref('stg_raw__fees') }}
),

-- A commission names its campaign before the campaign has spend.
named as (
    select
        org_id,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        date,
        campaign,
        adset,
        ad
    from spend

    union all

    select
        org_id,
        platform,
        campaign_id,
        adset_id,
        cast(null as {{ text }}) as ad_id,
        starts_on as date,
        campaign,
        adset,
        cast(null as {{ text }}) as ad
    from fees
    where basis = 'conversion'
),

latest as (
    select
        *,
        row_number() over (
            partition by org_id, platform, campaign_id, adset_id, ad_id
            order by date desc, campaign, adset, ad
        ) as recency
    from named
),

final as (
    select
        org_id,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        campaign,
        adset,
        ad
    from latest
    where recency = 1
)

select * from final

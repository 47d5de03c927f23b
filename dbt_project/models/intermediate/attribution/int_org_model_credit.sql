{#- A view: a filter on a stored table. -#}
{{ config(materialized='view') }}

with

credit as (
    select * from {{ ref('int_main_type_credit') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

final as (
    select
        credit.org_id,
        credit.date,
        credit.channel,
        credit.platform,
        credit.campaign_id,
        credit.adset_id,
        credit.ad_id,
        credit.credit,
        credit.first_credit,
        credit.value_micros
    from credit
    inner join orgs
        on credit.org_id = orgs.org_id
        and credit.attribution_model = orgs.default_attribution_model
)

select * from final

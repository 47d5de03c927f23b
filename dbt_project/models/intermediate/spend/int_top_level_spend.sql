{#- A view: only the promises read it, when a version is published. They need a count of the spend that does not share code
    with int_spend_residuals. -#}
{{ config(materialized='view') }}

with

ad_spend as (
    select
        org_id,
        platform,
        account_id,
        level,
        campaign_id,
        adset_id,
        ad_id,
        date,
        currency,
        spend_micros,
        -- A row without a level is above all finer rows of its campaign or ad set, and below a reported total.
        case
            when level = 'account' then 1
            when level = 'campaign' then 2
            when level is null and adset_id is null and ad_id is null then 3
            when level = 'adset' then 4
            when level is null and ad_id is null then 5
            else 6
        end as depth
    from {{ ref('stg_raw__ad_spend') }}
),

final as (
    select
        ad_spend.org_id,
        ad_spend.platform,
        ad_spend.account_id,
        ad_spend.level,
        ad_spend.campaign_id,
        ad_spend.adset_id,
        ad_spend.ad_id,
        ad_spend.date,
        ad_spend.currency,
        ad_spend.spend_micros
    from ad_spend
    {%- for level, depths, ids in [
        ('account', '1', []), ('campaign', '2, 3', ['campaign_id']), ('adset', '4, 5', ['campaign_id', 'adset_id']),
    ] %}
    left join ad_spend as {{ level }}_total
        on {{ level }}_total.depth in ({{ depths }})
        and ad_spend.depth > {{ level }}_total.depth
        {%- for id in ['org_id', 'platform', 'account_id', 'date', 'currency'] + ids %}
        and ad_spend.{{ id }} = {{ level }}_total.{{ id }}
        {%- endfor %}
    {%- endfor %}
    where account_total.org_id is null
        and campaign_total.org_id is null
        and adset_total.org_id is null
)

select * from final

with

campaigns as (
    select * from {{ ref('int_campaigns') }}
),

-- An id means one thing on its platform; where two accounts show it, the one that was seen last.
entities as (
    select * from (
        select
            *,
            row_number() over (
                partition by org_id, platform, level, entity_id
                order by valid_from desc, account_id
            ) as recency,
        from {{ ref('stg_raw__ad_entities') }}
        where is_current
    ) as numbered
    where recency = 1
),

final as (
    select
        campaigns.org_id,
        campaigns.platform,
        campaigns.campaign_id,
        campaigns.adset_id,
        campaigns.ad_id,
        coalesce(of_campaign.name, campaigns.campaign) as campaign,
        coalesce(of_adset.name, campaigns.adset) as adset,
        coalesce(of_ad.name, campaigns.ad) as ad,
        of_campaign.status as campaign_status,
        of_adset.status as adset_status,
        of_ad.status as ad_status,
        coalesce(of_campaign.objective, of_adset.objective) as objective,
        of_campaign.daily_budget_micros as campaign_daily_budget_micros,
        of_campaign.lifetime_budget_micros as campaign_lifetime_budget_micros,
        of_adset.daily_budget_micros as adset_daily_budget_micros,
        of_adset.lifetime_budget_micros as adset_lifetime_budget_micros,
        coalesce(of_campaign.currency, of_adset.currency) as budget_currency,
    from campaigns
    {%- for level in ['campaign', 'adset', 'ad'] %}
    left join entities as of_{{ level }}
        on of_{{ level }}.level = '{{ level }}'
        and campaigns.org_id = of_{{ level }}.org_id
        and campaigns.platform = of_{{ level }}.platform
        and campaigns.{{ level }}_id = of_{{ level }}.entity_id
    {%- endfor %}
)

select * from final

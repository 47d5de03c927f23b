with

campaigns as (
    select * from {{ ref('int_campaigns') }}
),

entities as (
    select * from {{ ref('int_current_entities') }}
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
        coalesce(of_campaign.currency, of_adset.currency) as budget_currency
    from campaigns
    left join entities as of_campaign
        on of_campaign.level = 'campaign'
        and campaigns.org_id = of_campaign.org_id
        and campaigns.platform = of_campaign.platform
        and campaigns.campaign_id = of_campaign.entity_id
    left join entities as of_adset
        on of_adset.level = 'adset'
        and campaigns.org_id = of_adset.org_id
        and campaigns.platform = of_adset.platform
        and campaigns.adset_id = of_adset.entity_id
    left join entities as of_ad
        on of_ad.level = 'ad'
        and campaigns.org_id = of_ad.org_id
        and campaigns.platform = of_ad.platform
        and campaigns.ad_id = of_ad.entity_id
)

select * from final

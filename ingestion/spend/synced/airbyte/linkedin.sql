-- schema: linkedin_ads, linkedin, *
-- latest ad_campaign_analytics? by string_of_pivot_values, end_date, _airbyte_extracted_at: costinlocalcurrency, impressions, clicks, videoviews?, externalwebsiteconversions?, conversionvalueinlocalcurrency?
-- latest ad_creative_analytics? by string_of_pivot_values, end_date, _airbyte_extracted_at: costinlocalcurrency, impressions, clicks, videoviews?, externalwebsiteconversions?, conversionvalueinlocalcurrency?
-- latest accounts? by id, _airbyte_extracted_at: name?, currency, status?
-- latest campaign_groups? by id, _airbyte_extracted_at: account, name?, status?
-- latest campaigns by id, _airbyte_extracted_at: account, campaigngroup, name?, status?, objectivetype?
-- latest creatives? by id, _airbyte_extracted_at: account?, campaign, intendedstatus?, content?

-- level adset of ad_campaign_analytics in units
select
    end_date as date, last_of(campaigns.account) as account_id, currency, last_of(campaigngroup) as campaign_id,
    campaign_groups.name as campaign, last_of(string_of_pivot_values) as adset_id, campaigns.name as adset,
    impressions, clicks, videoviews as video_views, externalwebsiteconversions as platform_conversions,
    conversionvalueinlocalcurrency as platform_value, costinlocalcurrency as spend,
from ad_campaign_analytics
left join campaigns on last_of(string_of_pivot_values) = campaigns.id
left join campaign_groups on last_of(campaigngroup) = campaign_groups.id
left join accounts on last_of(campaigns.account) = accounts.id;

-- level ad of ad_creative_analytics in units
select
    end_date as date, last_of(campaigns.account) as account_id, currency, last_of(campaigngroup) as campaign_id,
    campaign_groups.name as campaign, campaigns.id as adset_id, campaigns.name as adset,
    last_of(string_of_pivot_values) as ad_id, impressions, clicks, videoviews as video_views,
    externalwebsiteconversions as platform_conversions, conversionvalueinlocalcurrency as platform_value,
    costinlocalcurrency as spend,
from ad_creative_analytics
left join creatives on last_of(string_of_pivot_values) = last_of(creatives.id)
left join campaigns on last_of(campaign) = campaigns.id
left join campaign_groups on last_of(campaigngroup) = campaign_groups.id
left join accounts on last_of(campaigns.account) = accounts.id;

-- entities
select id as account_id, 'account' as level, id as entity_id, name, status, currency from accounts
union all by name
select last_of(account) as account_id, 'campaign' as level, id as entity_id, name, status from campaign_groups
union all by name
select
    last_of(account) as account_id, 'adset' as level, id as entity_id, last_of(campaigngroup) as campaign_id, name,
    status, objectivetype as objective,
from campaigns
union all by name
select
    last_of(campaigns.account) as account_id, 'ad' as level, last_of(creatives.id) as entity_id,
    last_of(campaigngroup) as campaign_id, campaigns.id as adset_id, intendedstatus as status,
    coalesce(content ->> '$.textAd.landingPage', content ->> '$.spotlight.landingPage') as destination_url,
from creatives
inner join campaigns on last_of(campaign) = campaigns.id;

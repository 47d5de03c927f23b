-- schema: apple_search_ads, apple_ads, apple_search, apple
-- latest campaigns_report_daily? by campaignid, date, countryorregion, _airbyte_extracted_at: metadata, granularity
-- latest adgroups_report_daily? by adgroupid, date, countryorregion, _airbyte_extracted_at: metadata, granularity
-- latest ads_report_daily? by adid, date, countryorregion, _airbyte_extracted_at: metadata, granularity
-- latest campaigns? by id, _airbyte_extracted_at: orgid, name?, status?
-- latest adgroups? by id, _airbyte_extracted_at: orgid?, campaignid, name?, status?
-- latest ads? by id, _airbyte_extracted_at: orgid?, campaignid, adgroupid, name?, status?

-- level campaign of campaigns_report_daily in units
select
    day ->> 'date' as date, metadata ->> 'orgId' as account_id, day ->> '$.localSpend.currency' as currency,
    campaignid as campaign_id, metadata ->> 'campaignName' as campaign, day ->> 'impressions' as impressions,
    day ->> 'taps' as clicks, coalesce(day ->> 'totalInstalls', day ->> 'tapInstalls') as platform_conversions,
    day ->> '$.localSpend.amount' as spend,
from (select *, unnest(from_json(granularity, '["json"]')) as day from campaigns_report_daily);

-- level adset of adgroups_report_daily in units
select
    day ->> 'date' as date, metadata ->> 'orgId' as account_id, day ->> '$.localSpend.currency' as currency,
    metadata ->> 'campaignId' as campaign_id, campaigns.name as campaign, adgroupid as adset_id,
    metadata ->> 'adGroupName' as adset, day ->> 'impressions' as impressions, day ->> 'taps' as clicks,
    coalesce(day ->> 'totalInstalls', day ->> 'tapInstalls') as platform_conversions,
    day ->> '$.localSpend.amount' as spend,
from (select *, unnest(from_json(granularity, '["json"]')) as day from adgroups_report_daily)
left join campaigns on metadata ->> 'campaignId' = campaigns.id;

-- level ad of ads_report_daily in units
select
    day ->> 'date' as date, metadata ->> 'orgId' as account_id, day ->> '$.localSpend.currency' as currency,
    metadata ->> 'campaignId' as campaign_id, campaigns.name as campaign, metadata ->> 'adGroupId' as adset_id,
    adgroups.name as adset, adid as ad_id, metadata ->> 'adName' as ad, day ->> 'impressions' as impressions,
    day ->> 'taps' as clicks, coalesce(day ->> 'totalInstalls', day ->> 'tapInstalls') as platform_conversions,
    day ->> '$.localSpend.amount' as spend,
from (select *, unnest(from_json(granularity, '["json"]')) as day from ads_report_daily)
left join campaigns on metadata ->> 'campaignId' = campaigns.id
left join adgroups on metadata ->> 'adGroupId' = adgroups.id;

-- entities
select orgid as account_id, 'campaign' as level, id as entity_id, name, status from campaigns
union all by name
select orgid as account_id, 'adset' as level, id as entity_id, campaignid as campaign_id, name, status from adgroups
union all by name
select
    orgid as account_id, 'ad' as level, id as entity_id, campaignid as campaign_id, adgroupid as adset_id, name, status,
from ads;

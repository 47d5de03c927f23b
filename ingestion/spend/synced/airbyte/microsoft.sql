-- schema: bing_ads, bingads, bing, microsoft_ads, microsoft_advertising, microsoft, *
-- latest account_performance_report_daily? by accountid, timeperiod, currencycode, addistribution, devicetype, network, deliveredmatchtype, deviceos, topvsother, bidmatchtype, _airbyte_extracted_at: spend, impressions, clicks, conversionsqualified?, conversions?, revenue?
-- latest campaign_performance_report_daily? by accountid, campaignid, timeperiod, currencycode, addistribution, devicetype, network, deliveredmatchtype, deviceos, topvsother, bidmatchtype, _airbyte_extracted_at: campaignname?, spend, impressions, clicks, conversionsqualified?, conversions?, revenue?
-- latest ad_group_performance_report_daily? by accountid, campaignid, adgroupid, timeperiod, currencycode, addistribution, devicetype, network, deliveredmatchtype, deviceos, topvsother, bidmatchtype, language, _airbyte_extracted_at: campaignname?, adgroupname?, spend, impressions, clicks, conversionsqualified?, conversions?, revenue?
-- latest ad_performance_report_daily? by accountid, campaignid, adgroupid, adid, timeperiod, currencycode, addistribution, devicetype, language, network, deviceos, topvsother, bidmatchtype, deliveredmatchtype, _airbyte_extracted_at: campaignname?, adgroupname?, adtitle?, spend, impressions, clicks, conversionsqualified?, conversions?, revenue?
-- latest accounts? by id, _airbyte_extracted_at: name?, currencycode?, accountlifecyclestatus?
-- latest campaigns? by id, _airbyte_extracted_at: accountid, name?, status?, campaigntype?
-- latest ad_groups? by id, _airbyte_extracted_at: accountid, campaignid, name?, status?
-- latest ads? by id, _airbyte_extracted_at: accountid, adgroupid, status?, finalurls?

-- level account of account_performance_report_daily in units
select
    timeperiod as date, accountid as account_id, currencycode as currency, impressions, clicks,
    coalesce(conversionsqualified, conversions) as platform_conversions, revenue as platform_value, spend,
from account_performance_report_daily;

-- level campaign of campaign_performance_report_daily in units
select
    timeperiod as date, accountid as account_id, currencycode as currency, campaignid as campaign_id,
    campaignname as campaign, impressions, clicks,
    coalesce(conversionsqualified, conversions) as platform_conversions, revenue as platform_value, spend,
from campaign_performance_report_daily;

-- level adset of ad_group_performance_report_daily in units
select
    timeperiod as date, accountid as account_id, currencycode as currency, campaignid as campaign_id,
    campaignname as campaign, adgroupid as adset_id, adgroupname as adset, impressions, clicks,
    coalesce(conversionsqualified, conversions) as platform_conversions, revenue as platform_value, spend,
from ad_group_performance_report_daily;

-- level ad of ad_performance_report_daily in units
select
    timeperiod as date, accountid as account_id, currencycode as currency, campaignid as campaign_id,
    campaignname as campaign, adgroupid as adset_id, adgroupname as adset, adid as ad_id, adtitle as ad,
    impressions, clicks,
    coalesce(conversionsqualified, conversions) as platform_conversions, revenue as platform_value, spend,
from ad_performance_report_daily;

-- entities
select
    id as account_id, 'account' as level, id as entity_id, name, accountlifecyclestatus as status,
    currencycode as currency,
from accounts
union all by name
select
    accountid as account_id, 'campaign' as level, id as entity_id, name, status, campaigntype as objective,
from campaigns
union all by name
select accountid as account_id, 'adset' as level, id as entity_id, campaignid as campaign_id, name, status
from ad_groups
union all by name
select
    ads.accountid as account_id, 'ad' as level, ads.id as entity_id, campaignid as campaign_id, adgroupid as adset_id,
    ads.status, finalurls ->> '$.string[0]' as destination_url,
from ads
left join ad_groups on adgroupid = ad_groups.id;

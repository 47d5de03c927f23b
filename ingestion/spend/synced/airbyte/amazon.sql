-- schema: amazon_ads, amazon_advertising, amazon, *
-- latest sponsored_products_campaigns_report_stream_daily? by campaignid, date, _airbyte_extracted_at: profileid?, campaignname?, campaignbudgetcurrencycode?, cost, impressions, clicks, purchases14d?, sales14d?
-- latest sponsored_brands_campaigns_report_stream_daily? by campaignid, date, _airbyte_extracted_at: profileid?, campaignname?, campaignbudgetcurrencycode?, cost, impressions, clicks, purchases?, sales?
-- latest sponsored_display_campaigns_report_stream_daily? by campaignid, date, _airbyte_extracted_at: profileid?, campaignname?, campaignbudgetcurrencycode?, cost, impressions, clicks, purchases?, sales?
-- latest sponsored_products_productads_report_stream_daily? by adid, date, _airbyte_extracted_at: profileid?, campaignid, campaignname?, adgroupid, adgroupname?, advertisedasin?, campaignbudgetcurrencycode?, cost, impressions, clicks, purchases14d?, sales14d?
-- latest sponsored_brands_ads_report_stream_daily? by adid, date, _airbyte_extracted_at: profileid?, campaignid, campaignname?, adgroupid, adgroupname?, campaignbudgetcurrencycode?, cost, impressions, clicks, purchases?, sales?
-- latest sponsored_display_productads_report_stream_daily? by adid, date, _airbyte_extracted_at: profileid?, campaignid, campaignname?, adgroupid, adgroupname?, promotedasin?, campaignbudgetcurrencycode?, cost, impressions, clicks, purchases?, sales?
-- latest profiles? by profileid, _airbyte_extracted_at: currencycode, accountinfo?

-- level campaign of sponsored_products_campaigns_report_stream_daily in units
select
    date, report.profileid as account_id, coalesce(campaignbudgetcurrencycode, currencycode) as currency,
    campaignid as campaign_id, campaignname as campaign, impressions, clicks,
    purchases14d as platform_conversions, sales14d as platform_value, cost as spend,
from sponsored_products_campaigns_report_stream_daily as report
left join profiles on report.profileid = profiles.profileid;

-- level campaign of sponsored_brands_campaigns_report_stream_daily in units
select
    date, report.profileid as account_id, coalesce(campaignbudgetcurrencycode, currencycode) as currency,
    campaignid as campaign_id, campaignname as campaign, impressions, clicks,
    purchases as platform_conversions, sales as platform_value, cost as spend,
from sponsored_brands_campaigns_report_stream_daily as report
left join profiles on report.profileid = profiles.profileid;

-- level campaign of sponsored_display_campaigns_report_stream_daily in units
select
    date, report.profileid as account_id, coalesce(campaignbudgetcurrencycode, currencycode) as currency,
    campaignid as campaign_id, campaignname as campaign, impressions, clicks,
    purchases as platform_conversions, sales as platform_value, cost as spend,
from sponsored_display_campaigns_report_stream_daily as report
left join profiles on report.profileid = profiles.profileid;

-- level ad of sponsored_products_productads_report_stream_daily in units
select
    date, report.profileid as account_id, coalesce(campaignbudgetcurrencycode, currencycode) as currency,
    campaignid as campaign_id, campaignname as campaign, adgroupid as adset_id, adgroupname as adset,
    adid as ad_id, advertisedasin as ad, impressions, clicks,
    purchases14d as platform_conversions, sales14d as platform_value, cost as spend,
from sponsored_products_productads_report_stream_daily as report
left join profiles on report.profileid = profiles.profileid;

-- level ad of sponsored_brands_ads_report_stream_daily in units
select
    date, report.profileid as account_id, coalesce(campaignbudgetcurrencycode, currencycode) as currency,
    campaignid as campaign_id, campaignname as campaign, adgroupid as adset_id, adgroupname as adset,
    adid as ad_id, impressions, clicks,
    purchases as platform_conversions, sales as platform_value, cost as spend,
from sponsored_brands_ads_report_stream_daily as report
left join profiles on report.profileid = profiles.profileid;

-- level ad of sponsored_display_productads_report_stream_daily in units
select
    date, report.profileid as account_id, coalesce(campaignbudgetcurrencycode, currencycode) as currency,
    campaignid as campaign_id, campaignname as campaign, adgroupid as adset_id, adgroupname as adset,
    adid as ad_id, promotedasin as ad, impressions, clicks,
    purchases as platform_conversions, sales as platform_value, cost as spend,
from sponsored_display_productads_report_stream_daily as report
left join profiles on report.profileid = profiles.profileid;

-- entities
select
    profileid as account_id, 'account' as level, profileid as entity_id, accountinfo ->> 'name' as name,
    currencycode as currency,
from profiles;

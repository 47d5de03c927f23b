-- schema: snapchat_marketing, snapchat_ads, snapchat, snap, *
-- latest adaccounts_stats_daily? by id, granularity, start_time, _airbyte_extracted_at: spend
-- latest campaigns_stats_daily? by id, granularity, start_time, _airbyte_extracted_at: spend, impressions?, swipes?, video_views?, conversion_purchases?, conversion_purchases_value?
-- latest adsquads_stats_daily? by id, granularity, start_time, _airbyte_extracted_at: spend, impressions?, swipes?, video_views?, conversion_purchases?, conversion_purchases_value?
-- latest ads_stats_daily? by id, granularity, start_time, _airbyte_extracted_at: spend, impressions?, swipes?, video_views?, conversion_purchases?, conversion_purchases_value?
-- latest adaccounts by id, _airbyte_extracted_at: name?, currency, timezone, status?
-- latest campaigns? by id, _airbyte_extracted_at: ad_account_id, name?, status?, objective?
-- latest adsquads? by id, _airbyte_extracted_at: campaign_id, name?, status?
-- latest ads? by id, _airbyte_extracted_at: ad_squad_id, name?, status?, creative_id?
-- latest creatives? by id, _airbyte_extracted_at: name?, web_view_properties?

-- A day begins at the account's midnight. Destinations store it as a UTC time.
-- level account of adaccounts_stats_daily in micros
select local_day(start_time, timezone) as date, report.id as account_id, currency, spend
from adaccounts_stats_daily as report
left join adaccounts on report.id = adaccounts.id;

-- level campaign of campaigns_stats_daily in micros
select
    local_day(start_time, timezone) as date, ad_account_id as account_id, currency, report.id as campaign_id,
    campaigns.name as campaign, impressions, swipes as clicks, video_views,
    conversion_purchases as platform_conversions, from_micros(conversion_purchases_value) as platform_value, spend,
from campaigns_stats_daily as report
left join campaigns on report.id = campaigns.id
left join adaccounts on ad_account_id = adaccounts.id;

-- level adset of adsquads_stats_daily in micros
select
    local_day(start_time, timezone) as date, ad_account_id as account_id, currency, campaign_id,
    campaigns.name as campaign, report.id as adset_id, adsquads.name as adset, impressions, swipes as clicks,
    video_views, conversion_purchases as platform_conversions,
    from_micros(conversion_purchases_value) as platform_value, spend,
from adsquads_stats_daily as report
left join adsquads on report.id = adsquads.id
left join campaigns on campaign_id = campaigns.id
left join adaccounts on ad_account_id = adaccounts.id;

-- level ad of ads_stats_daily in micros
select
    local_day(start_time, timezone) as date, ad_account_id as account_id, currency, campaign_id,
    campaigns.name as campaign, ad_squad_id as adset_id, adsquads.name as adset, report.id as ad_id, ads.name as ad,
    impressions, swipes as clicks, video_views, conversion_purchases as platform_conversions,
    from_micros(conversion_purchases_value) as platform_value, spend,
from ads_stats_daily as report
left join ads on report.id = ads.id
left join adsquads on ad_squad_id = adsquads.id
left join campaigns on campaign_id = campaigns.id
left join adaccounts on ad_account_id = adaccounts.id;

-- entities
select id as account_id, 'account' as level, id as entity_id, name, status, currency from adaccounts
union all by name
select ad_account_id as account_id, 'campaign' as level, id as entity_id, name, status, objective from campaigns
union all by name
select
    ad_account_id as account_id, 'adset' as level, adsquads.id as entity_id, campaign_id, adsquads.name,
    adsquads.status,
from adsquads
inner join campaigns on campaign_id = campaigns.id
union all by name
select
    ad_account_id as account_id, 'ad' as level, ads.id as entity_id, campaign_id, ad_squad_id as adset_id, creative_id,
    ads.name, ads.status, web_view_properties ->> 'url' as destination_url,
from ads
inner join adsquads on ad_squad_id = adsquads.id
inner join campaigns on campaign_id = campaigns.id
left join creatives on creative_id = creatives.id;

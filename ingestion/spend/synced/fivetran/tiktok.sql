-- schema: tiktok_ads, tiktok
-- table campaign_report_hourly?: campaign_id, stat_time_hour, spend, impressions?, clicks?, conversion?, total_purchase_value?, video_play_actions?
-- table adgroup_report_hourly?: adgroup_id, stat_time_hour, spend, impressions?, clicks?, conversion?, total_purchase_value?, video_play_actions?
-- table ad_report_hourly?: ad_id, stat_time_hour, spend, impressions?, clicks?, conversion?, total_purchase_value?, video_play_actions?
-- table campaign_country_report?: stat_time_day, spend
-- latest campaign_history? by campaign_id, updated_at: advertiser_id, campaign_name?, secondary_status?, objective_type?
-- latest adgroup_history? by adgroup_id, updated_at: advertiser_id, campaign_id, adgroup_name?, secondary_status?
-- latest ad_history? by ad_id, updated_at: advertiser_id, adgroup_id, campaign_id, ad_name?, secondary_status?, landing_page_url?
-- latest advertiser? by id, _fivetran_synced: name?, currency

-- level campaign of campaign_report_hourly in units
select
    stat_time_hour as date, advertiser_id as account_id, currency, report.campaign_id, campaign_name as campaign,
    impressions, clicks, video_play_actions as video_views,
    conversion as platform_conversions, total_purchase_value as platform_value, spend,
from campaign_report_hourly as report
left join campaign_history on report.campaign_id = campaign_history.campaign_id
left join advertiser on advertiser_id = advertiser.id;

-- level adset of adgroup_report_hourly in units
select
    stat_time_hour as date, adgroup_history.advertiser_id as account_id, currency, adgroup_history.campaign_id,
    campaign_name as campaign, report.adgroup_id as adset_id, adgroup_name as adset,
    impressions, clicks, video_play_actions as video_views,
    conversion as platform_conversions, total_purchase_value as platform_value, spend,
from adgroup_report_hourly as report
left join adgroup_history on report.adgroup_id = adgroup_history.adgroup_id
left join campaign_history on adgroup_history.campaign_id = campaign_history.campaign_id
left join advertiser on adgroup_history.advertiser_id = advertiser.id;

-- level ad of ad_report_hourly in units
select
    stat_time_hour as date, ad_history.advertiser_id as account_id, currency, ad_history.campaign_id,
    campaign_name as campaign, ad_history.adgroup_id as adset_id, adgroup_name as adset, report.ad_id, ad_name as ad,
    impressions, clicks, video_play_actions as video_views,
    conversion as platform_conversions, total_purchase_value as platform_value, spend,
from ad_report_hourly as report
left join ad_history on report.ad_id = ad_history.ad_id
left join adgroup_history on ad_history.adgroup_id = adgroup_history.adgroup_id
left join campaign_history on ad_history.campaign_id = campaign_history.campaign_id
left join advertiser on ad_history.advertiser_id = advertiser.id;

-- total country of campaign_country_report in units
select stat_time_day as date, spend from campaign_country_report;

-- entities
select
    advertiser_id as account_id, 'campaign' as level, campaign_id as entity_id, campaign_name as name,
    secondary_status as status, objective_type as objective,
from campaign_history
union all by name
select
    advertiser_id as account_id, 'adset' as level, adgroup_id as entity_id, campaign_id, adgroup_name as name,
    secondary_status as status,
from adgroup_history
union all by name
select
    advertiser_id as account_id, 'ad' as level, ad_id as entity_id, campaign_id, adgroup_id as adset_id, ad_name as name,
    secondary_status as status, landing_page_url as destination_url,
from ad_history;

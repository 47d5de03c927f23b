-- schema: tiktok_marketing, tiktok_ads, tiktok, *
-- latest advertisers_reports_daily? by advertiser_id, stat_time_day, _airbyte_extracted_at: metrics
-- latest campaigns_reports_daily? by campaign_id, stat_time_day, _airbyte_extracted_at: metrics
-- latest ad_groups_reports_daily? by adgroup_id, stat_time_day, _airbyte_extracted_at: metrics
-- latest ads_reports_daily? by ad_id, stat_time_day, _airbyte_extracted_at: metrics
-- latest advertisers? by advertiser_id, _airbyte_extracted_at: name?, currency, status?
-- latest campaigns? by campaign_id, _airbyte_extracted_at: advertiser_id, campaign_name?, operation_status?, secondary_status?, objective_type?
-- latest ad_groups? by adgroup_id, _airbyte_extracted_at: advertiser_id, campaign_id, adgroup_name?, secondary_status?
-- latest ads? by ad_id, _airbyte_extracted_at: advertiser_id, campaign_id, adgroup_id, ad_name?, secondary_status?, landing_page_url?

-- level account of advertisers_reports_daily in units
select
    stat_time_day as date, report.advertiser_id as account_id, currency,
    metrics ->> 'impressions' as impressions, metrics ->> 'clicks' as clicks,
    metrics ->> 'video_play_actions' as video_views, metrics ->> 'spend' as spend,
from advertisers_reports_daily as report
left join advertisers on report.advertiser_id = advertisers.advertiser_id;

-- level campaign of campaigns_reports_daily in units
select
    stat_time_day as date, campaigns.advertiser_id as account_id, currency, report.campaign_id,
    coalesce(metrics ->> 'campaign_name', campaign_name) as campaign,
    metrics ->> 'impressions' as impressions, metrics ->> 'clicks' as clicks,
    metrics ->> 'video_play_actions' as video_views, metrics ->> 'spend' as spend,
from campaigns_reports_daily as report
left join campaigns on report.campaign_id = campaigns.campaign_id
left join advertisers on campaigns.advertiser_id = advertisers.advertiser_id;

-- level adset of ad_groups_reports_daily in units
select
    stat_time_day as date, coalesce(ad_groups.advertiser_id, campaigns.advertiser_id) as account_id, currency,
    metrics ->> 'campaign_id' as campaign_id, metrics ->> 'campaign_name' as campaign,
    report.adgroup_id as adset_id, metrics ->> 'adgroup_name' as adset,
    metrics ->> 'impressions' as impressions, metrics ->> 'clicks' as clicks,
    metrics ->> 'video_play_actions' as video_views, metrics ->> 'spend' as spend,
from ad_groups_reports_daily as report
left join ad_groups on report.adgroup_id = ad_groups.adgroup_id
left join campaigns on metrics ->> 'campaign_id' = campaigns.campaign_id
left join advertisers on coalesce(ad_groups.advertiser_id, campaigns.advertiser_id) = advertisers.advertiser_id;

-- level ad of ads_reports_daily in units
select
    stat_time_day as date, coalesce(ads.advertiser_id, campaigns.advertiser_id) as account_id, currency,
    metrics ->> 'campaign_id' as campaign_id, metrics ->> 'campaign_name' as campaign,
    metrics ->> 'adgroup_id' as adset_id, metrics ->> 'adgroup_name' as adset,
    report.ad_id, metrics ->> 'ad_name' as ad,
    metrics ->> 'impressions' as impressions, metrics ->> 'clicks' as clicks,
    metrics ->> 'video_play_actions' as video_views, metrics ->> 'complete_payment' as platform_conversions,
    metrics ->> 'total_complete_payment_rate' as platform_value,  -- a value, in spite of its name
    metrics ->> 'spend' as spend,
from ads_reports_daily as report
left join ads on report.ad_id = ads.ad_id
left join campaigns on metrics ->> 'campaign_id' = campaigns.campaign_id
left join advertisers on coalesce(ads.advertiser_id, campaigns.advertiser_id) = advertisers.advertiser_id;

-- entities
select
    advertiser_id as account_id, 'account' as level, advertiser_id as entity_id, name, status, currency,
from advertisers
union all by name
select
    advertiser_id as account_id, 'campaign' as level, campaign_id as entity_id, campaign_name as name,
    coalesce(secondary_status, operation_status) as status, objective_type as objective,
from campaigns
union all by name
select
    advertiser_id as account_id, 'adset' as level, adgroup_id as entity_id, campaign_id, adgroup_name as name,
    secondary_status as status,
from ad_groups
union all by name
select
    advertiser_id as account_id, 'ad' as level, ad_id as entity_id, campaign_id, adgroup_id as adset_id,
    ad_name as name, secondary_status as status, landing_page_url as destination_url,
from ads;

-- schema: pinterest_ads, pinterest
-- latest ad_account_analytics|advertiser_report? by ad_account_id, date, _airbyte_extracted_at: spend_in_micro_dollar, impression_1?, impression_2?, total_clickthrough?, total_video_mrc_views?, total_checkout?, total_checkout_value_in_micro_dollar?
-- latest campaign_analytics|campaign_analytics_report? by campaign_id, date, _airbyte_extracted_at: ad_account_id, campaign_name?, spend_in_micro_dollar, impression_1?, impression_2?, total_clickthrough?, total_video_mrc_views?, total_checkout?, total_checkout_value_in_micro_dollar?
-- latest ad_group_analytics|ad_group_report? by ad_group_id, date, _airbyte_extracted_at: ad_account_id, campaign_id, spend_in_micro_dollar, impression_1?, impression_2?, total_clickthrough?, total_video_mrc_views?, total_checkout?, total_checkout_value_in_micro_dollar?
-- latest ad_analytics|pin_promotion_report? by ad_id, date, _airbyte_extracted_at: ad_account_id, campaign_id, ad_group_id, campaign_name?, spend_in_micro_dollar, impression_1?, impression_2?, total_clickthrough?, total_video_mrc_views?, total_checkout?, total_checkout_value_in_micro_dollar?
-- latest ad_accounts? by id, _airbyte_extracted_at: name?, currency
-- latest campaigns? by id, _airbyte_extracted_at: ad_account_id, name?, status?, objective_type?
-- latest ad_groups? by id, _airbyte_extracted_at: ad_account_id, campaign_id, name?, status?
-- latest ads? by id, _airbyte_extracted_at: ad_account_id, campaign_id, ad_group_id, name?, status?, destination_url?

-- level account of ad_account_analytics in micros
select
    date, ad_account_id as account_id, currency, total_of(impression_1, impression_2) as impressions,
    total_clickthrough as clicks, total_video_mrc_views as video_views, total_checkout as platform_conversions,
    from_micros(total_checkout_value_in_micro_dollar) as platform_value, spend_in_micro_dollar as spend,
from ad_account_analytics
left join ad_accounts on ad_account_id = ad_accounts.id;

-- level campaign of campaign_analytics in micros
select
    date, report.ad_account_id as account_id, currency, campaign_id, coalesce(campaigns.name, campaign_name) as campaign,
    total_of(impression_1, impression_2) as impressions, total_clickthrough as clicks,
    total_video_mrc_views as video_views, total_checkout as platform_conversions,
    from_micros(total_checkout_value_in_micro_dollar) as platform_value, spend_in_micro_dollar as spend,
from campaign_analytics as report
left join campaigns on campaign_id = campaigns.id
left join ad_accounts on report.ad_account_id = ad_accounts.id;

-- level adset of ad_group_analytics in micros
select
    date, report.ad_account_id as account_id, currency, report.campaign_id, campaigns.name as campaign,
    ad_group_id as adset_id, ad_groups.name as adset, total_of(impression_1, impression_2) as impressions,
    total_clickthrough as clicks, total_video_mrc_views as video_views, total_checkout as platform_conversions,
    from_micros(total_checkout_value_in_micro_dollar) as platform_value, spend_in_micro_dollar as spend,
from ad_group_analytics as report
left join ad_groups on ad_group_id = ad_groups.id
left join campaigns on report.campaign_id = campaigns.id
left join ad_accounts on report.ad_account_id = ad_accounts.id;

-- level ad of ad_analytics in micros
select
    date, report.ad_account_id as account_id, currency, report.campaign_id,
    coalesce(campaigns.name, campaign_name) as campaign, report.ad_group_id as adset_id, ad_groups.name as adset,
    ad_id, ads.name as ad, total_of(impression_1, impression_2) as impressions, total_clickthrough as clicks,
    total_video_mrc_views as video_views, total_checkout as platform_conversions,
    from_micros(total_checkout_value_in_micro_dollar) as platform_value, spend_in_micro_dollar as spend,
from ad_analytics as report
left join ads on ad_id = ads.id
left join ad_groups on report.ad_group_id = ad_groups.id
left join campaigns on report.campaign_id = campaigns.id
left join ad_accounts on report.ad_account_id = ad_accounts.id;

-- entities
select id as account_id, 'account' as level, id as entity_id, name, currency from ad_accounts
union all by name
select
    ad_account_id as account_id, 'campaign' as level, id as entity_id, name, status, objective_type as objective,
from campaigns
union all by name
select ad_account_id as account_id, 'adset' as level, id as entity_id, campaign_id, name, status from ad_groups
union all by name
select
    ad_account_id as account_id, 'ad' as level, id as entity_id, campaign_id, ad_group_id as adset_id, name, status,
    destination_url,
from ads;

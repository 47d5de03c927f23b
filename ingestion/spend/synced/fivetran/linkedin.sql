-- schema: linkedin_ads, linkedin, linkedin_ad
-- table ad_analytics_by_campaign?: campaign_id, day, cost_in_local_currency, cost_in_usd?, impressions?, clicks?, external_website_conversions?, conversion_value_in_local_currency?, video_views?
-- table ad_analytics_by_creative?: creative_id, day, cost_in_local_currency, cost_in_usd?, impressions?, clicks?, external_website_conversions?, conversion_value_in_local_currency?, video_views?
-- table monthly_ad_analytics_by_member_country?: cost_in_local_currency
-- table monthly_ad_analytics_by_member_region?: cost_in_local_currency
-- latest account_history? by id, last_modified_time: name?, currency
-- latest campaign_group_history? by id, last_modified_time: account_id, name?, status?
-- latest campaign_history? by id, last_modified_time: account_id, campaign_group_id, name?, status?
-- latest creative_history? by id, last_modified_at: campaign_id, intended_status?, click_uri?, text_ad_landing_page?, spotlight_landing_page?

-- level adset of ad_analytics_by_campaign in units
select
    day as date, campaign_history.account_id, currency, campaign_group_id as campaign_id,
    campaign_group_history.name as campaign, report.campaign_id as adset_id, campaign_history.name as adset,
    impressions, clicks, video_views, external_website_conversions as platform_conversions,
    conversion_value_in_local_currency as platform_value,
    coalesce(cost_in_local_currency, case when currency = 'USD' or amount(cost_in_usd) = 0 then cost_in_usd end) as spend,
from ad_analytics_by_campaign as report
left join campaign_history on report.campaign_id = campaign_history.id
left join campaign_group_history on campaign_group_id = campaign_group_history.id
left join account_history on campaign_history.account_id = account_history.id;

-- level ad of ad_analytics_by_creative in units
select
    day as date, campaign_history.account_id, currency, campaign_group_id as campaign_id,
    campaign_group_history.name as campaign, creative_history.campaign_id as adset_id, campaign_history.name as adset,
    report.creative_id as ad_id, impressions, clicks, video_views,
    external_website_conversions as platform_conversions, conversion_value_in_local_currency as platform_value,
    coalesce(cost_in_local_currency, case when currency = 'USD' or amount(cost_in_usd) = 0 then cost_in_usd end) as spend,
from ad_analytics_by_creative as report
left join creative_history on report.creative_id = creative_history.id
left join campaign_history on creative_history.campaign_id = campaign_history.id
left join campaign_group_history on campaign_group_id = campaign_group_history.id
left join account_history on campaign_history.account_id = account_history.id;

-- total country of monthly_ad_analytics_by_member_country in units
select cost_in_local_currency as spend from monthly_ad_analytics_by_member_country;

-- total region of monthly_ad_analytics_by_member_region in units
select cost_in_local_currency as spend from monthly_ad_analytics_by_member_region;

-- entities
select account_id, 'campaign' as level, id as entity_id, name, status from campaign_group_history
union all by name
select account_id, 'adset' as level, id as entity_id, campaign_group_id as campaign_id, name, status
from campaign_history
union all by name
select
    account_id, 'ad' as level, creative_history.id as entity_id, campaign_group_id as campaign_id,
    campaign_id as adset_id, intended_status as status,
    coalesce(click_uri, text_ad_landing_page, spotlight_landing_page) as destination_url,
from creative_history
inner join campaign_history on campaign_id = campaign_history.id;

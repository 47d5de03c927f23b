-- schema: pinterest, pinterest_ads
-- table advertiser_report?: date, advertiser_id, spend_in_micro_dollar, impression_1?, impression_2?, clickthrough_1?, clickthrough_2?, total_conversions?, total_conversions_value_in_micro_dollar?
-- table campaign_report?: date, advertiser_id, campaign_id, campaign_name?, spend_in_micro_dollar, impression_1?, impression_2?, clickthrough_1?, clickthrough_2?, total_conversions?, total_conversions_value_in_micro_dollar?
-- table ad_group_report?: date, advertiser_id, campaign_id, ad_group_id, ad_group_name?, spend_in_micro_dollar, impression_1?, impression_2?, clickthrough_1?, clickthrough_2?, total_conversions?, total_conversions_value_in_micro_dollar?
-- table pin_promotion_report?: date, advertiser_id, campaign_id, ad_group_id, pin_promotion_id, spend_in_micro_dollar, impression_1?, impression_2?, clickthrough_1?, clickthrough_2?, total_conversions?, total_conversions_value_in_micro_dollar?
-- table keyword_report?: date, spend_in_micro_dollar
-- table pin_promotion_targeting_report?: date, spend_in_micro_dollar
-- latest advertiser_history? by id, updated_time: name?, currency
-- latest campaign_history? by id, _fivetran_synced: advertiser_id?, name?, status?
-- latest ad_group_history? by id, _fivetran_synced: campaign_id, ad_account_id?, name?, status?
-- latest pin_promotion_history? by id, _fivetran_synced: ad_group_id, ad_account_id?, name?, status?, destination_url?

-- level account of advertiser_report in micros
select
    date, advertiser_id as account_id, currency, total_of(impression_1, impression_2) as impressions,
    total_of(clickthrough_1, clickthrough_2) as clicks, total_conversions as platform_conversions,
    from_micros(total_conversions_value_in_micro_dollar) as platform_value, spend_in_micro_dollar as spend,
from advertiser_report
left join advertiser_history on advertiser_id = advertiser_history.id;

-- level campaign of campaign_report in micros
select
    date, report.advertiser_id as account_id, currency, campaign_id,
    coalesce(campaign_history.name, campaign_name) as campaign, total_of(impression_1, impression_2) as impressions,
    total_of(clickthrough_1, clickthrough_2) as clicks, total_conversions as platform_conversions,
    from_micros(total_conversions_value_in_micro_dollar) as platform_value, spend_in_micro_dollar as spend,
from campaign_report as report
left join campaign_history on campaign_id = campaign_history.id
left join advertiser_history on report.advertiser_id = advertiser_history.id;

-- level adset of ad_group_report in micros
select
    date, report.advertiser_id as account_id, currency, report.campaign_id, campaign_history.name as campaign,
    ad_group_id as adset_id, coalesce(ad_group_history.name, ad_group_name) as adset,
    total_of(impression_1, impression_2) as impressions, total_of(clickthrough_1, clickthrough_2) as clicks,
    total_conversions as platform_conversions, from_micros(total_conversions_value_in_micro_dollar) as platform_value,
    spend_in_micro_dollar as spend,
from ad_group_report as report
left join campaign_history on report.campaign_id = campaign_history.id
left join ad_group_history on ad_group_id = ad_group_history.id
left join advertiser_history on report.advertiser_id = advertiser_history.id;

-- level ad of pin_promotion_report in micros
select
    date, report.advertiser_id as account_id, currency, report.campaign_id, campaign_history.name as campaign,
    report.ad_group_id as adset_id, ad_group_history.name as adset,
    pin_promotion_id as ad_id, pin_promotion_history.name as ad,
    total_of(impression_1, impression_2) as impressions, total_of(clickthrough_1, clickthrough_2) as clicks,
    total_conversions as platform_conversions, from_micros(total_conversions_value_in_micro_dollar) as platform_value,
    spend_in_micro_dollar as spend,
from pin_promotion_report as report
left join campaign_history on report.campaign_id = campaign_history.id
left join ad_group_history on report.ad_group_id = ad_group_history.id
left join pin_promotion_history on pin_promotion_id = pin_promotion_history.id
left join advertiser_history on report.advertiser_id = advertiser_history.id;

-- total keyword of keyword_report in micros
select date, spend_in_micro_dollar as spend from keyword_report;

-- total targeting of pin_promotion_targeting_report in micros
select date, spend_in_micro_dollar as spend from pin_promotion_targeting_report;

-- entities
select advertiser_id as account_id, 'campaign' as level, id as entity_id, name, status from campaign_history
union all by name
select
    coalesce(ad_account_id, advertiser_id) as account_id, 'adset' as level, ad_group_history.id as entity_id,
    campaign_id, ad_group_history.name, ad_group_history.status,
from ad_group_history
left join campaign_history on campaign_id = campaign_history.id
union all by name
select
    pin_promotion_history.ad_account_id as account_id, 'ad' as level, pin_promotion_history.id as entity_id,
    campaign_id, ad_group_id as adset_id, pin_promotion_history.name, pin_promotion_history.status, destination_url,
from pin_promotion_history
left join ad_group_history on ad_group_id = ad_group_history.id;

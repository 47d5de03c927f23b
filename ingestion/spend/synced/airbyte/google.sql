-- schema: google_ads, google_adwords, adwords, google
-- latest account_performance_report? by customer_id, segments_date, segments_ad_network_type, segments_device, _airbyte_extracted_at: customer_currency_code, metrics_cost_micros, metrics_impressions, metrics_clicks, metrics_conversions?, metrics_conversions_value?, metrics_video_views?
-- latest campaign? by campaign_id, segments_date, segments_hour, segments_ad_network_type, _airbyte_extracted_at: campaign_resource_name, campaign_name?, campaign_status?, campaign_advertising_channel_type?, campaign_budget_amount_micros?, metrics_cost_micros, metrics_impressions, metrics_clicks, metrics_conversions?, metrics_conversions_value?, metrics_video_views?
-- latest ad_group? by ad_group_id, segments_date, _airbyte_extracted_at: campaign_id, ad_group_resource_name, ad_group_name?, ad_group_status?, metrics_cost_micros?
-- latest ad_group_ad_legacy? by ad_group_id, ad_group_ad_ad_id, segments_date, segments_ad_network_type, _airbyte_extracted_at: customer_id, customer_currency_code, campaign_id, campaign_name?, ad_group_name?, metrics_cost_micros, metrics_impressions, metrics_clicks, metrics_conversions?, metrics_conversions_value?, metrics_video_views?
-- latest ad_group_ad? by ad_group_id, ad_group_ad_ad_id, segments_date: ad_group_ad_resource_name, ad_group_ad_ad_name?, ad_group_ad_status?, ad_group_ad_ad_final_urls?
-- latest customer? by customer_id, segments_date: customer_currency_code, customer_descriptive_name?

-- level account of account_performance_report in micros
select
    segments_date as date, customer_id as account_id, customer_currency_code as currency,
    metrics_impressions as impressions, metrics_clicks as clicks, metrics_video_views as video_views,
    metrics_conversions as platform_conversions, metrics_conversions_value as platform_value,
    metrics_cost_micros as spend,
from account_performance_report;

-- Campaigns and ad groups lack the account's currency. Other synced tables have it.
-- level campaign of campaign in micros
with currencies as (
    select customer_id as account_id, max(customer_currency_code) as currency
    from (
        select customer_id, customer_currency_code from customer
        union all select customer_id, customer_currency_code from account_performance_report
        union all select customer_id, customer_currency_code from ad_group_ad_legacy
    )
    group by customer_id
)

select
    segments_date as date, split_part(campaign_resource_name, '/', 2) as account_id, currency, campaign_id,
    campaign_name as campaign, metrics_impressions as impressions, metrics_clicks as clicks,
    metrics_video_views as video_views, metrics_conversions as platform_conversions,
    metrics_conversions_value as platform_value, metrics_cost_micros as spend,
from campaign
left join currencies on split_part(campaign_resource_name, '/', 2) = account_id;

-- level adset of ad_group in micros
with currencies as (
    select customer_id as account_id, max(customer_currency_code) as currency
    from (
        select customer_id, customer_currency_code from customer
        union all select customer_id, customer_currency_code from account_performance_report
        union all select customer_id, customer_currency_code from ad_group_ad_legacy
    )
    group by customer_id
)

select
    segments_date as date, split_part(ad_group_resource_name, '/', 2) as account_id, currency, campaign_id,
    ad_group_id as adset_id, ad_group_name as adset, metrics_cost_micros as spend,
from ad_group
left join currencies on split_part(ad_group_resource_name, '/', 2) = account_id
where metrics_cost_micros is not null;  -- older syncs have no cost of ad groups

-- level ad of ad_group_ad_legacy in micros
select
    legacy.segments_date as date, customer_id as account_id, customer_currency_code as currency, campaign_id,
    campaign_name as campaign, legacy.ad_group_id as adset_id, ad_group_name as adset,
    legacy.ad_group_ad_ad_id as ad_id, ad_group_ad_ad_name as ad,
    metrics_impressions as impressions, metrics_clicks as clicks, metrics_video_views as video_views,
    metrics_conversions as platform_conversions, metrics_conversions_value as platform_value,
    metrics_cost_micros as spend,
from ad_group_ad_legacy as legacy
left join ad_group_ad
    on legacy.ad_group_id = ad_group_ad.ad_group_id and legacy.ad_group_ad_ad_id = ad_group_ad.ad_group_ad_ad_id;

-- entities
select
    customer_id as account_id, 'account' as level, customer_id as entity_id, customer_descriptive_name as name,
    customer_currency_code as currency,
from customer
union all by name
(
    select
        split_part(campaign_resource_name, '/', 2) as account_id, 'campaign' as level, campaign_id as entity_id,
        campaign_name as name, campaign_status as status, campaign_advertising_channel_type as objective,
        try_cast(campaign_budget_amount_micros as bigint) as daily_budget_micros,
    from campaign
    qualify row_number() over (
        partition by campaign_id order by segments_date desc, try_cast(segments_hour as integer) desc
    ) = 1
)
union all by name
(
    select
        split_part(ad_group_resource_name, '/', 2) as account_id, 'adset' as level, ad_group_id as entity_id,
        campaign_id, ad_group_name as name, ad_group_status as status,
    from ad_group
    qualify row_number() over (partition by ad_group_id order by segments_date desc) = 1
)
union all by name
select
    split_part(ad_group_ad_resource_name, '/', 2) as account_id, 'ad' as level, ad_group_ad_ad_id as entity_id,
    ad_group_ad.ad_group_id as adset_id, parents.campaign_id, ad_group_ad_ad_name as name,
    ad_group_ad_status as status, first_of(ad_group_ad_ad_final_urls) as destination_url,
from ad_group_ad
left join (select ad_group_id, max(campaign_id) as campaign_id from ad_group group by ad_group_id) as parents
    on ad_group_ad.ad_group_id = parents.ad_group_id;

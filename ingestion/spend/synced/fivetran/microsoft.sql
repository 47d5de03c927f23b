-- schema: microsoft_ads, bingads, bing_ads
-- table account_performance_daily_report?: date, account_id, currency_code, spend, impressions?, clicks?, conversions_qualified?, conversions?, revenue?
-- table campaign_performance_daily_report?: date, account_id, campaign_id, currency_code, spend, impressions?, clicks?, conversions_qualified?, conversions?, revenue?
-- table ad_group_performance_daily_report?: date, account_id, campaign_id, ad_group_id, currency_code, spend, impressions?, clicks?, conversions_qualified?, conversions?, revenue?
-- table ad_performance_daily_report?: date, account_id, campaign_id, ad_group_id, ad_id, currency_code, spend, impressions?, clicks?, conversions_qualified?, conversions?, revenue?
-- table keyword_performance_daily_report?: date, currency_code, spend
-- table search_query_performance_daily_report|search_performance_daily_report?: date, spend
-- table geographic_performance_daily_report?: date, currency_code, spend
-- latest campaign_history? by id, modified_time: account_id, name?, status?, type?
-- latest ad_group_history? by id, modified_time: campaign_id, name?, status?
-- latest ad_history? by id, modified_time: ad_group_id, title?, title_part_1?, status?, final_url?

-- level account of account_performance_daily_report in units
select
    date, account_id, currency_code as currency, impressions, clicks,
    coalesce(conversions_qualified, conversions) as platform_conversions, revenue as platform_value, spend,
from account_performance_daily_report;

-- level campaign of campaign_performance_daily_report in units
select
    date, report.account_id, currency_code as currency, campaign_id, name as campaign, impressions, clicks,
    coalesce(conversions_qualified, conversions) as platform_conversions, revenue as platform_value, spend,
from campaign_performance_daily_report as report
left join campaign_history on campaign_id = campaign_history.id;

-- level adset of ad_group_performance_daily_report in units
select
    date, report.account_id, currency_code as currency, report.campaign_id, campaign_history.name as campaign,
    ad_group_id as adset_id, ad_group_history.name as adset, impressions, clicks,
    coalesce(conversions_qualified, conversions) as platform_conversions, revenue as platform_value, spend,
from ad_group_performance_daily_report as report
left join campaign_history on report.campaign_id = campaign_history.id
left join ad_group_history on ad_group_id = ad_group_history.id;

-- level ad of ad_performance_daily_report in units
select
    date, report.account_id, currency_code as currency, report.campaign_id, campaign_history.name as campaign,
    report.ad_group_id as adset_id, ad_group_history.name as adset,
    ad_id, coalesce(ad_history.title, ad_history.title_part_1) as ad, impressions, clicks,
    coalesce(conversions_qualified, conversions) as platform_conversions, revenue as platform_value, spend,
from ad_performance_daily_report as report
left join campaign_history on report.campaign_id = campaign_history.id
left join ad_group_history on report.ad_group_id = ad_group_history.id
left join ad_history on ad_id = ad_history.id;

-- total keyword of keyword_performance_daily_report in units
select date, currency_code as currency, spend from keyword_performance_daily_report;

-- total search_term of search_query_performance_daily_report in units
select date, spend from search_query_performance_daily_report;

-- total place of geographic_performance_daily_report in units
select date, currency_code as currency, spend from geographic_performance_daily_report;

-- entities
select account_id, 'campaign' as level, id as entity_id, name, status, type as objective from campaign_history
union all by name
select
    account_id, 'adset' as level, ad_group_history.id as entity_id, campaign_id, ad_group_history.name,
    ad_group_history.status,
from ad_group_history
inner join campaign_history on campaign_id = campaign_history.id
union all by name
select
    account_id, 'ad' as level, ad_history.id as entity_id, campaign_id, ad_group_id as adset_id,
    coalesce(title, title_part_1) as name, ad_history.status, final_url as destination_url,
from ad_history
inner join ad_group_history on ad_group_id = ad_group_history.id
inner join campaign_history on campaign_id = campaign_history.id;

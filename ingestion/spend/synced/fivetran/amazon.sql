-- schema: amazon_ads
-- table campaign_level_report?: campaign_id, date, cost, impressions?, clicks?, campaign_budget_currency_code?, purchases_30_d?, sales_30_d?
-- table ad_group_level_report?: ad_group_id, date, cost, impressions?, clicks?
-- table advertised_product_report?: campaign_id, ad_group_id, ad_id, date, cost, impressions?, clicks?, campaign_budget_currency_code?, purchases_30_d?, sales_30_d?
-- table search_term_ad_keyword_report?: date, cost
-- table targeting_keyword_report?: date, cost
-- latest profile? by id, _fivetran_synced: currency_code
-- latest campaign_history? by id, last_updated_date: profile_id, name?, state?
-- latest ad_group_history? by id, last_updated_date: campaign_id, name?, state?
-- latest product_ad_history? by id, last_updated_date: campaign_id, ad_group_id, asin?, state?

-- level campaign of campaign_level_report in units
select
    date, profile_id as account_id, coalesce(campaign_budget_currency_code, currency_code) as currency,
    campaign_id, name as campaign, impressions, clicks,
    purchases_30_d as platform_conversions, sales_30_d as platform_value, cost as spend,
from campaign_level_report
left join campaign_history on campaign_id = campaign_history.id
left join profile on profile_id = profile.id;

-- level adset of ad_group_level_report in units
select
    date, profile_id as account_id, currency_code as currency, campaign_id, campaign_history.name as campaign,
    ad_group_id as adset_id, ad_group_history.name as adset, impressions, clicks, cost as spend,
from ad_group_level_report
left join ad_group_history on ad_group_id = ad_group_history.id
left join campaign_history on campaign_id = campaign_history.id
left join profile on profile_id = profile.id;

-- level ad of advertised_product_report in units
select
    date, profile_id as account_id, coalesce(campaign_budget_currency_code, currency_code) as currency,
    report.campaign_id, campaign_history.name as campaign, report.ad_group_id as adset_id,
    ad_group_history.name as adset, ad_id, asin as ad, impressions, clicks,
    purchases_30_d as platform_conversions, sales_30_d as platform_value, cost as spend,
from advertised_product_report as report
left join campaign_history on report.campaign_id = campaign_history.id
left join ad_group_history on report.ad_group_id = ad_group_history.id
left join product_ad_history on ad_id = product_ad_history.id
left join profile on profile_id = profile.id;

-- total search_term of search_term_ad_keyword_report in units
select date, cost as spend from search_term_ad_keyword_report;

-- total keyword of targeting_keyword_report in units
select date, cost as spend from targeting_keyword_report;

-- entities
select profile_id as account_id, 'campaign' as level, id as entity_id, name, state as status from campaign_history
union all by name
select
    profile_id as account_id, 'adset' as level, ad_group_history.id as entity_id, campaign_id,
    ad_group_history.name, ad_group_history.state as status,
from ad_group_history
inner join campaign_history on campaign_id = campaign_history.id
union all by name
select
    profile_id as account_id, 'ad' as level, product_ad_history.id as entity_id, campaign_id,
    ad_group_id as adset_id, asin as name, product_ad_history.state as status,
from product_ad_history
inner join campaign_history on campaign_id = campaign_history.id;

-- schema: google_ads, adwords
-- table account_stats?: customer_id, date, cost_micros, impressions?, clicks?, conversions?, conversions_value?
-- table campaign_stats?: customer_id, id, date, cost_micros, impressions?, clicks?, conversions?, conversions_value?
-- table ad_group_stats?: customer_id, id, campaign_id, date, cost_micros, impressions?, clicks?, conversions?, conversions_value?
-- table ad_stats?: customer_id, ad_group?, ad_group_id?, campaign_id, ad_id, date, cost_micros, impressions?, clicks?, conversions?, conversions_value?
-- table keyword_stats?: date, cost_micros
-- table search_term_keyword_stats?: date, cost_micros
-- latest account_history? by id, updated_at: descriptive_name?, currency_code
-- latest campaign_history? by id, updated_at: customer_id, name?, status?, advertising_channel_type?
-- latest ad_group_history? by id, updated_at: campaign_id, name?, status?
-- latest ad_history? by id, updated_at: ad_group_id, name?, status?, final_urls?

-- level account of account_stats in micros
select
    date, customer_id as account_id, account_history.currency_code as currency, impressions, clicks,
    conversions as platform_conversions, conversions_value as platform_value, cost_micros as spend,
from account_stats
left join account_history on customer_id = account_history.id;

-- level campaign of campaign_stats in micros
select
    date, campaign_stats.customer_id as account_id, account_history.currency_code as currency,
    campaign_stats.id as campaign_id, campaign_history.name as campaign, impressions, clicks,
    conversions as platform_conversions, conversions_value as platform_value, cost_micros as spend,
from campaign_stats
left join account_history on campaign_stats.customer_id = account_history.id
left join campaign_history on campaign_stats.id = campaign_history.id;

-- level adset of ad_group_stats in micros
select
    date, ad_group_stats.customer_id as account_id, account_history.currency_code as currency,
    ad_group_stats.campaign_id, campaign_history.name as campaign,
    ad_group_stats.id as adset_id, ad_group_history.name as adset, impressions, clicks,
    conversions as platform_conversions, conversions_value as platform_value, cost_micros as spend,
from ad_group_stats
left join account_history on ad_group_stats.customer_id = account_history.id
left join campaign_history on ad_group_stats.campaign_id = campaign_history.id
left join ad_group_history on ad_group_stats.id = ad_group_history.id;

-- level ad of ad_stats in micros
select
    date, stats.customer_id as account_id, account_history.currency_code as currency,
    stats.campaign_id, campaign_history.name as campaign, stats.adset_id, ad_group_history.name as adset,
    ad_id, ad_history.name as ad, impressions, clicks,
    conversions as platform_conversions, conversions_value as platform_value, cost_micros as spend,
from (select *, coalesce(ad_group_id, split_part(ad_group, '/', -1)) as adset_id from ad_stats) as stats
left join account_history on stats.customer_id = account_history.id
left join campaign_history on stats.campaign_id = campaign_history.id
left join ad_group_history on stats.adset_id = ad_group_history.id
left join ad_history on stats.ad_id = ad_history.id;

-- total keyword of keyword_stats in micros
select date, cost_micros as spend from keyword_stats;

-- total search_term of search_term_keyword_stats in micros
select date, cost_micros as spend from search_term_keyword_stats;

-- entities
select customer_id as account_id, 'campaign' as level, id as entity_id, name, status, advertising_channel_type as objective
from campaign_history
union all by name
select
    customer_id as account_id, 'adset' as level, ad_group_history.id as entity_id, campaign_id, ad_group_history.name,
    ad_group_history.status,
from ad_group_history
inner join campaign_history on campaign_id = campaign_history.id
union all by name
select
    customer_id as account_id, 'ad' as level, ad_history.id as entity_id, campaign_id, ad_group_id as adset_id,
    ad_history.name, ad_history.status, first_of(final_urls) as destination_url,
from ad_history
inner join ad_group_history on ad_group_id = ad_group_history.id
inner join campaign_history on campaign_id = campaign_history.id;

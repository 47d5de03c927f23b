-- schema: apple_search_ads, apple_search
-- table campaign_report?: id, date, local_spend_amount, local_spend_currency, impressions?, taps?, conversions?
-- table ad_group_report?: ad_group_id, date, local_spend_amount, local_spend_currency, impressions?, taps?, conversions?
-- table ad_level_report|ad_report?: campaign_id, ad_group_id, ad_id, date, local_spend_amount, local_spend_currency, impressions?, taps?, conversions?
-- table keyword_report?: date, local_spend_amount, local_spend_currency
-- table search_term_report?: date, local_spend_amount, local_spend_currency
-- latest campaign_history? by id, modification_time: organization_id, name?, status?
-- latest ad_group_history? by id, modification_time: organization_id, campaign_id, name?, status?
-- latest ad_history? by id, modification_time: org_id, campaign_id, ad_group_id, name?, status?

-- level campaign of campaign_report in units
select
    date, organization_id as account_id, local_spend_currency as currency, report.id as campaign_id,
    name as campaign, impressions, taps as clicks, conversions as platform_conversions, local_spend_amount as spend,
from campaign_report as report
left join campaign_history on report.id = campaign_history.id;

-- level adset of ad_group_report in units
select
    date, ad_group_history.organization_id as account_id, local_spend_currency as currency, campaign_id,
    campaign_history.name as campaign, ad_group_id as adset_id, ad_group_history.name as adset, impressions,
    taps as clicks, conversions as platform_conversions, local_spend_amount as spend,
from ad_group_report
left join ad_group_history on ad_group_id = ad_group_history.id
left join campaign_history on campaign_id = campaign_history.id;

-- level ad of ad_level_report in units
select
    date, org_id as account_id, local_spend_currency as currency, report.campaign_id,
    campaign_history.name as campaign, report.ad_group_id as adset_id, ad_group_history.name as adset, ad_id,
    ad_history.name as ad, impressions, taps as clicks, conversions as platform_conversions,
    local_spend_amount as spend,
from ad_level_report as report
left join ad_history on ad_id = ad_history.id
left join ad_group_history on report.ad_group_id = ad_group_history.id
left join campaign_history on report.campaign_id = campaign_history.id;

-- total keyword of keyword_report in units
select date, local_spend_currency as currency, local_spend_amount as spend from keyword_report;

-- total search_term of search_term_report in units
select date, local_spend_currency as currency, local_spend_amount as spend from search_term_report;

-- entities
select organization_id as account_id, 'campaign' as level, id as entity_id, name, status from campaign_history
union all by name
select organization_id as account_id, 'adset' as level, id as entity_id, campaign_id, name, status
from ad_group_history
union all by name
select
    org_id as account_id, 'ad' as level, id as entity_id, campaign_id, ad_group_id as adset_id, name, status,
from ad_history;

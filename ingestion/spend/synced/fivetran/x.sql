-- schema: twitter_ads, twitter
-- table campaign_report?: account_id, campaign_id, date, billed_charge_local_micro, impressions?, clicks?, video_total_views?, conversion_purchases_metric?, conversion_purchases_sale_amount?
-- table line_item_report?: account_id, line_item_id, date, billed_charge_local_micro, impressions?, clicks?, video_total_views?, conversion_purchases_metric?, conversion_purchases_sale_amount?
-- table promoted_tweet_report?: account_id, promoted_tweet_id, date, billed_charge_local_micro, impressions?, clicks?, video_total_views?, conversion_purchases_metric?, conversion_purchases_sale_amount?
-- table line_item_keywords_report?: date, billed_charge_local_micro
-- table campaign_locations_report?: date, billed_charge_local_micro
-- table campaign_regions_report?: date, billed_charge_local_micro
-- latest account_history? by id, updated_at: name?, timezone?
-- latest campaign_history? by id, updated_at: account_id, name?, entity_status?, currency, daily_budget_amount_local_micro?, total_budget_amount_local_micro?
-- latest line_item_history? by id, updated_at: campaign_id, name?, entity_status?, objective?
-- latest promoted_tweet_history? by id, updated_at: line_item_id, tweet_id?, entity_status?
-- latest tweet? by id, _fivetran_synced: name?, full_text?

-- level campaign of campaign_report in micros
select
    local_day(date, timezone) as date, report.account_id, currency, campaign_id, campaign_history.name as campaign,
    impressions, clicks, video_total_views as video_views, conversion_purchases_metric as platform_conversions,
    from_micros(conversion_purchases_sale_amount) as platform_value, billed_charge_local_micro as spend,
from campaign_report as report
left join campaign_history on campaign_id = campaign_history.id
left join account_history on report.account_id = account_history.id;

-- level adset of line_item_report in micros
select
    local_day(date, timezone) as date, report.account_id, currency, campaign_id, campaign_history.name as campaign,
    line_item_id as adset_id, line_item_history.name as adset, impressions, clicks, video_total_views as video_views,
    conversion_purchases_metric as platform_conversions, from_micros(conversion_purchases_sale_amount) as platform_value,
    billed_charge_local_micro as spend,
from line_item_report as report
left join line_item_history on line_item_id = line_item_history.id
left join campaign_history on campaign_id = campaign_history.id
left join account_history on report.account_id = account_history.id;

-- level ad of promoted_tweet_report in micros
select
    local_day(date, timezone) as date, report.account_id, currency, campaign_id, campaign_history.name as campaign,
    line_item_id as adset_id, line_item_history.name as adset, promoted_tweet_id as ad_id,
    coalesce(tweet.name, left(full_text, 80)) as ad, impressions, clicks, video_total_views as video_views,
    conversion_purchases_metric as platform_conversions, from_micros(conversion_purchases_sale_amount) as platform_value,
    billed_charge_local_micro as spend,
from promoted_tweet_report as report
left join promoted_tweet_history on promoted_tweet_id = promoted_tweet_history.id
left join tweet on tweet_id = tweet.id
left join line_item_history on line_item_id = line_item_history.id
left join campaign_history on campaign_id = campaign_history.id
left join account_history on report.account_id = account_history.id;

-- total keyword of line_item_keywords_report in micros
select date, billed_charge_local_micro as spend from line_item_keywords_report;

-- total place of campaign_locations_report in micros
select date, billed_charge_local_micro as spend from campaign_locations_report;

-- total region of campaign_regions_report in micros
select date, billed_charge_local_micro as spend from campaign_regions_report;

-- entities
select
    account_id, 'campaign' as level, id as entity_id, name, entity_status as status, currency,
    try_cast(daily_budget_amount_local_micro as bigint) as daily_budget_micros,
    try_cast(total_budget_amount_local_micro as bigint) as lifetime_budget_micros,
from campaign_history
union all by name
select
    account_id, 'adset' as level, line_item_history.id as entity_id, campaign_id, line_item_history.name,
    line_item_history.entity_status as status, objective,
from line_item_history
inner join campaign_history on campaign_id = campaign_history.id
union all by name
select
    account_id, 'ad' as level, promoted_tweet_history.id as entity_id, campaign_id, line_item_id as adset_id,
    promoted_tweet_history.entity_status as status,
from promoted_tweet_history
inner join line_item_history on line_item_id = line_item_history.id
inner join campaign_history on campaign_id = campaign_history.id;

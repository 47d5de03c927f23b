-- schema: snapchat_ads, snapchat
-- table campaign_hourly_report?: campaign_id, date, spend, impressions?, swipes?, conversion_purchases?, conversion_purchases_value?, video_views?
-- table ad_squad_hourly_report?: ad_squad_id, date, spend, impressions?, swipes?, conversion_purchases?, conversion_purchases_value?, video_views?
-- table ad_hourly_report?: ad_id, date, spend, impressions?, swipes?, conversion_purchases?, conversion_purchases_value?, video_views?
-- table campaign_geo_country_daily_report?: date, spend
-- table campaign_geo_region_daily_report?: date, spend
-- latest ad_history? by id, _fivetran_synced: ad_squad_id, creative_id, name?, status?
-- latest ad_squad_history? by id, _fivetran_synced: campaign_id, name?, status?
-- latest campaign_history? by id, _fivetran_synced: ad_account_id, name?, status?, objective?
-- latest ad_account_history? by id, _fivetran_synced: name?, currency?, timezone?
-- latest creative_history? by id, _fivetran_synced: web_view_url?
-- latest creative_url_tag_history? by creative_id, key, updated_at: value?

-- Hours are UTC and count toward the account's day.
-- level campaign of campaign_hourly_report in micros
select
    local_day(date, timezone) as date, ad_account_id as account_id, currency, campaign_id, campaign_history.name as campaign, impressions,
    swipes as clicks, video_views, conversion_purchases as platform_conversions,
    from_micros(conversion_purchases_value) as platform_value, spend,
from campaign_hourly_report
left join campaign_history on campaign_id = campaign_history.id
left join ad_account_history on ad_account_id = ad_account_history.id;

-- level adset of ad_squad_hourly_report in micros
select
    local_day(date, timezone) as date, ad_account_id as account_id, currency, campaign_id, campaign_history.name as campaign,
    ad_squad_id as adset_id, ad_squad_history.name as adset, impressions, swipes as clicks, video_views,
    conversion_purchases as platform_conversions, from_micros(conversion_purchases_value) as platform_value, spend,
from ad_squad_hourly_report
left join ad_squad_history on ad_squad_id = ad_squad_history.id
left join campaign_history on campaign_id = campaign_history.id
left join ad_account_history on ad_account_id = ad_account_history.id;

-- level ad of ad_hourly_report in micros
select
    local_day(date, timezone) as date, ad_account_id as account_id, currency, campaign_id, campaign_history.name as campaign,
    ad_squad_id as adset_id, ad_squad_history.name as adset, ad_id, ad_history.name as ad, impressions,
    swipes as clicks, video_views, conversion_purchases as platform_conversions,
    from_micros(conversion_purchases_value) as platform_value, spend,
from ad_hourly_report
left join ad_history on ad_id = ad_history.id
left join ad_squad_history on ad_squad_id = ad_squad_history.id
left join campaign_history on campaign_id = campaign_history.id
left join ad_account_history on ad_account_id = ad_account_history.id;

-- total country of campaign_geo_country_daily_report in micros
select date, spend from campaign_geo_country_daily_report;

-- total region of campaign_geo_region_daily_report in micros
select date, spend from campaign_geo_region_daily_report;

-- entities
select ad_account_id as account_id, 'campaign' as level, id as entity_id, name, status, objective from campaign_history
union all by name
select
    ad_account_id as account_id, 'adset' as level, ad_squad_history.id as entity_id, campaign_id,
    ad_squad_history.name, ad_squad_history.status,
from ad_squad_history
inner join campaign_history on campaign_id = campaign_history.id
union all by name
select
    ad_account_id as account_id, 'ad' as level, ad_history.id as entity_id, campaign_id, ad_squad_id as adset_id,
    ad_history.creative_id, ad_history.name, ad_history.status,
    with_tags(web_view_url, tags) as destination_url,
from ad_history
inner join ad_squad_history on ad_squad_id = ad_squad_history.id
inner join campaign_history on campaign_id = campaign_history.id
left join creative_history on ad_history.creative_id = creative_history.id
left join (
    select creative_id, string_agg(key || '=' || value, '&' order by key) as tags
    from creative_url_tag_history
    group by creative_id
) as url_tags on ad_history.creative_id = url_tags.creative_id;

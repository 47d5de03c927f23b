-- schema: reddit_ads, reddit
-- table account_report?: account_id, date, spend, impressions?, clicks?, video_started?
-- table campaign_report?: account_id, campaign_id, date, spend, impressions?, clicks?, video_started?
-- table ad_group_report?: account_id, ad_group_id, date, spend, impressions?, clicks?, video_started?
-- table ad_report?: account_id, ad_id, date, spend, impressions?, clicks?, video_started?
-- table ad_conversions_report|ad_conversions?: ad_id, date, event_name, clicks?, views?, click_through_conversion_attribution_window_month?, view_through_conversion_attribution_window_month?
-- table campaign_country_report?: date, spend
-- latest account? by id, _fivetran_synced: currency
-- latest campaign? by id, _fivetran_synced: account_id, name?, effective_status?, objective?
-- latest ad_group? by id, _fivetran_synced: account_id, campaign_id, name?, effective_status?
-- latest ad? by id, _fivetran_synced: account_id, ad_group_id, campaign_id, name?, effective_status?, click_url?

-- level account of account_report in micros
select date, account_id, currency, impressions, clicks, video_started as video_views, spend
from account_report
left join account on account_id = account.id;

-- level campaign of campaign_report in micros
select
    date, report.account_id, currency, campaign_id, campaign.name as campaign, impressions, clicks,
    video_started as video_views, spend,
from campaign_report as report
left join campaign on campaign_id = campaign.id
left join account on report.account_id = account.id;

-- level adset of ad_group_report in micros
select
    date, report.account_id, currency, campaign_id, campaign.name as campaign,
    report.ad_group_id as adset_id, ad_group.name as adset, impressions, clicks, video_started as video_views, spend,
from ad_group_report as report
left join ad_group on report.ad_group_id = ad_group.id
left join campaign on campaign_id = campaign.id
left join account on report.account_id = account.id;

-- level ad of ad_report in micros
select
    report.date, report.account_id, currency, ad.campaign_id, campaign.name as campaign,
    ad.ad_group_id as adset_id, ad_group.name as adset, report.ad_id, ad.name as ad, impressions, clicks,
    video_started as video_views, purchases.count as platform_conversions, spend,
from (select *, row_number() over (partition by ad_id, date) as nth from ad_report) as report
left join ad on report.ad_id = ad.id
left join ad_group on ad.ad_group_id = ad_group.id
left join campaign on ad.campaign_id = campaign.id
left join account on report.account_id = account.id
left join (
    select
        ad_id, date,
        total_of(
            summed(coalesce(clicks, click_through_conversion_attribution_window_month)),
            summed(coalesce(views, view_through_conversion_attribution_window_month))
        ) as count,
    from ad_conversions_report
    where lower(event_name) = 'purchase'
    group by ad_id, date
) as purchases on nth = 1 and report.ad_id = purchases.ad_id and report.date = purchases.date;

-- total country of campaign_country_report in micros
select date, spend from campaign_country_report;

-- entities
select account_id, 'campaign' as level, id as entity_id, name, effective_status as status, objective from campaign
union all by name
select account_id, 'adset' as level, id as entity_id, campaign_id, name, effective_status as status from ad_group
union all by name
select
    account_id, 'ad' as level, id as entity_id, campaign_id, ad_group_id as adset_id, name, effective_status as status,
    click_url as destination_url,
from ad;

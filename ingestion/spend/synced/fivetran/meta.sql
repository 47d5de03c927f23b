-- schema: facebook_ads, facebook
-- table basic_ad: ad_id, date, account_id, spend, impressions?, inline_link_clicks?, clicks?
-- table basic_ad_actions?: ad_id, date, action_type, value
-- table basic_ad_action_values?: ad_id, date, action_type, value
-- latest ad_history by id, updated_time: account_id, ad_set_id, campaign_id, creative_id, name?, status?
-- latest ad_set_history by id, updated_time: account_id, campaign_id, name?, status?
-- latest campaign_history by id, updated_time: account_id, name?, status?, objective?
-- latest account_history? by id, _fivetran_synced: name?, currency?
-- latest creative_history? by id, _fivetran_synced: name?, page_link?, object_story_link_data_link?, asset_feed_spec_link_urls?, url_tags?

-- level ad of basic_ad in units
select
    basic_ad.date,
    basic_ad.account_id,
    account_history.currency,
    ad_history.campaign_id,
    campaign_history.name as campaign,
    ad_history.ad_set_id as adset_id,
    ad_set_history.name as adset,
    basic_ad.ad_id,
    ad_history.name as ad,
    basic_ad.impressions,
    coalesce(basic_ad.clicks, basic_ad.inline_link_clicks) as clicks,
    actions.value as platform_conversions,
    action_values.value as platform_value,
    basic_ad.spend,
from (select *, row_number() over (partition by ad_id, date) as nth from basic_ad) as basic_ad
left join ad_history on basic_ad.ad_id = ad_history.id
left join ad_set_history on ad_history.ad_set_id = ad_set_history.id
left join campaign_history on ad_history.campaign_id = campaign_history.id
left join account_history on basic_ad.account_id = account_history.id
-- The first purchase action that the ad's day has counts.
left join (
    select ad_id, date, min_by(value, list_position(purchase_actions(), action_type)) as value
    from basic_ad_actions where list_contains(purchase_actions(), action_type)
    group by ad_id, date
) as actions on nth = 1 and basic_ad.ad_id = actions.ad_id and basic_ad.date = actions.date
left join (
    select ad_id, date, min_by(value, list_position(purchase_actions(), action_type)) as value
    from basic_ad_action_values where list_contains(purchase_actions(), action_type)
    group by ad_id, date
) as action_values on nth = 1 and basic_ad.ad_id = action_values.ad_id and basic_ad.date = action_values.date;

-- entities
select account_id, 'campaign' as level, id as entity_id, name, status, objective from campaign_history
union all by name
select account_id, 'adset' as level, id as entity_id, campaign_id, name, status from ad_set_history
union all by name
select
    ad_history.account_id, 'ad' as level, ad_history.id as entity_id, campaign_id, ad_set_id as adset_id, creative_id,
    ad_history.name, status, 
    with_tags(
        coalesce(object_story_link_data_link, page_link, asset_feed_spec_link_urls ->> '$[0].website_url'),
        tags_of(url_tags)
    ) as destination_url,
from ad_history
left join creative_history on ad_history.creative_id = creative_history.id;

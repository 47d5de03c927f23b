-- schema: facebook_marketing, facebook_ads, facebook, meta_ads, meta, *
-- latest ads_insights by date_start, account_id, ad_id, _airbyte_extracted_at: account_currency, campaign_id, campaign_name?, adset_id, adset_name?, ad_name?, spend, impressions, clicks, actions?, action_values?
-- latest campaigns? by id, _airbyte_extracted_at: account_id, name?, effective_status?, objective?
-- latest ad_sets? by id, _airbyte_extracted_at: account_id, campaign_id, name?, effective_status?
-- latest ads? by id, _airbyte_extracted_at: account_id, campaign_id, adset_id, name?, effective_status?, creative?
-- latest ad_creatives? by id, _airbyte_extracted_at: account_id?, name?, object_story_spec?, link_url?, url_tags?

-- level ad of ads_insights in units
select
    date_start as date, account_id, account_currency as currency, campaign_id, campaign_name as campaign,
    adset_id, adset_name as adset, ad_id, ad_name as ad, impressions, clicks,
    figure(actions, 'video_view')::varchar as video_views,
    purchases(actions) as platform_conversions, purchases(action_values) as platform_value, spend,
from ads_insights;

-- entities
select account_id, 'campaign' as level, id as entity_id, name, effective_status as status, objective from campaigns
union all by name
select account_id, 'adset' as level, id as entity_id, campaign_id, name, effective_status as status from ad_sets
union all by name
select
    ads.account_id, 'ad' as level, ads.id as entity_id, campaign_id, adset_id, creative ->> 'id' as creative_id,
    ads.name, effective_status as status,
    with_tags(coalesce(object_story_spec ->> '$.link_data.link', link_url), url_tags) as destination_url,
from ads
left join ad_creatives on creative ->> 'id' = ad_creatives.id
union all by name
select
    account_id, 'creative' as level, id as entity_id, name,
    with_tags(coalesce(object_story_spec ->> '$.link_data.link', link_url), url_tags) as destination_url,
from ad_creatives;

-- schema: reddit_ads, reddit
-- latest campaign_report by campaign_id, date, _airbyte_extracted_at: spend, impressions, clicks, conversion_purchase_clicks?, conversion_purchase_views?, conversion_purchase_total_value?
-- latest campaign by id, _airbyte_extracted_at: ad_account_id, name?, effective_status?, objective?
-- latest ad? by id, _airbyte_extracted_at: ad_account_id, ad_group_id?, campaign_id?, name?, effective_status?, click_url?

-- level campaign of campaign_report in micros
select
    date, ad_account_id as account_id, campaign_id, name as campaign, impressions, clicks,
    total_of(conversion_purchase_clicks, conversion_purchase_views) as platform_conversions,
    from_cents(conversion_purchase_total_value) as platform_value, spend,
from campaign_report
left join campaign on campaign_id = campaign.id;

-- entities
select ad_account_id as account_id, 'campaign' as level, id as entity_id, name, effective_status as status, objective
from campaign
union all by name
select
    ad_account_id as account_id, 'ad' as level, id as entity_id, campaign_id, ad_group_id as adset_id, name,
    effective_status as status, click_url as destination_url,
from ad;

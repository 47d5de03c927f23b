-- Meta Insights: rows of the Marketing API, as scripts and connectors write them.
-- source: https://developers.facebook.com/docs/marketing-api/reference/ads-insights
-- export: Request act_ID/insights with time_increment=1 and the fields account_currency, spend, impressions and clicks.
-- kind: spend
-- required: date_start, date_stop, spend
-- required: campaign = campaign_name | campaign_id
-- optional: campaign_id, adset_id, adset_name, ad_id, ad_name, account_id, impressions, clicks, actions, action_values
-- optional: currency = account_currency | currency
-- give: account_id, currency
-- decimal: point
with parsed as (
    select
        * replace (
            from_json(if(json_valid(actions), actions, null), '[{"action_type": "VARCHAR", "value": "VARCHAR"}]')
                as actions,
            from_json(
                if(json_valid(action_values), action_values, null), '[{"action_type": "VARCHAR", "value": "VARCHAR"}]'
            ) as action_values
        ),
        -- Of the names of a purchase, the first that a row has counts, as in pulls.
        ['omni_purchase', 'purchase', 'offsite_conversion.fb_pixel_purchase'] as purchases
    from source
)
select
    _row,
    date_start as date,
    date_stop as end_date,
    'meta' as platform,
    account_id,
    coalesce(campaign_id, campaign) as campaign_id,
    campaign,
    coalesce(adset_id, adset_name) as adset_id,
    adset_name as adset,
    coalesce(ad_id, ad_name) as ad_id,
    ad_name as ad,
    currency,
    spend,
    impressions,
    clicks,
    list_filter(
        list_transform(purchases, lambda name: list_filter(actions, lambda each: each.action_type = name)[1].value),
        lambda figure: figure is not null
    )[1] as platform_conversions,
    list_filter(
        list_transform(
            purchases, lambda name: list_filter(action_values, lambda each: each.action_type = name)[1].value
        ),
        lambda figure: figure is not null
    )[1] as platform_value
from parsed

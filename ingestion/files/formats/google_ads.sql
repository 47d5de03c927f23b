-- Google Ads: a report with a day column, downloaded or scheduled.
-- source: https://support.google.com/google-ads/answer/2404176
-- export: Campaigns, Segment, Time, Day; then Download, .csv.
-- kind: spend
-- required: day = Day | Tag | Jour
-- required: cost = Cost | Kosten | Coût
-- required: campaign = Campaign | Kampagne | Campagne
-- optional: campaign_id = Campaign ID | Kampagnen-ID | ID de la campagne
-- optional: account_id = Customer ID | Account ID
-- optional: currency = Currency code | Currency | Währungscode
-- optional: impressions = Impr. | Impressions
-- optional: clicks = Clicks | Klicks | Clics
-- give: account_id, currency
select
    _row,
    day as date,
    'google' as platform,
    account_id,
    coalesce(campaign_id, campaign) as campaign_id,
    campaign,
    currency,
    cost as spend,
    impressions,
    clicks
from source

-- X Ads: an export of campaigns, ad groups or ads by day.
-- source: https://business.x.com/en/help/campaign-measurement-and-analytics/campaign-dashboard
-- source: https://docs.x.com/x-ads-api/analytics
-- export: Ads Manager, Campaigns, Export; time granularity Day.
-- kind: spend
-- required: day = Time period | Date | Day | Zeitraum | Période | Période de temps | Periodo de tiempo | Período de tiempo
-- required: day = Período | Periodo | Periodo di tempo | Período de tempo | Periode | 期間 | 时间段 | 時間範圍
-- required: campaign = Campaign name | Campaign | Kampagnenname | Name der Kampagne | Kampagne | Nom de la campagne
-- required: campaign = Nombre de la campaña | Nome della campagna | Nome da campanha | Campagnenaam | キャンペーン名
-- required: campaign = キャンペーン | Campaign ID
-- required: spend = Spend | Spend ({currency}) | Ausgaben | Dépenses | Dépense | Gasto | Spesa | Gastos | Uitgaven | 費用
-- required: spend = ご利用金額 | 消化金額 | 支出 | 花费
-- Reports of other vendors have a day, a campaign and a spend, too. A column of X tells them apart.
-- required: mark = Time period | Funding source | Funding source name | Funding source ID | Campaign url | Ad Group url
-- required: mark = Tweet ID | Tweet text | Post ID | Post text | Promoted Tweet ID | Promoted post ID | Tweet engagements
-- required: mark = Post engagements | Retweets | Reposts | Line item ID | Zeitraum | Période de temps
-- required: mark = Periodo de tiempo | Período de tiempo | Periodo di tempo | Período de tempo | 期間
-- optional: account_id = Account ID | Ads account ID | Konto-ID | ID du compte | アカウントID
-- optional: currency = Currency | Currency code | Währung | Devise | Moneda | Divisa | Valuta | Moeda | 通貨
-- optional: campaign_id = Campaign ID | Kampagnen-ID | ID de la campagne | ID de la campaña | ID da campanha
-- optional: campaign_id = キャンペーンID
-- optional: adset_id = Ad Group ID | Line item ID | Anzeigengruppen-ID | 広告グループID
-- optional: adset = Ad Group name | Ad Group | Line item name | Anzeigengruppenname | Name der Anzeigengruppe | 広告グループ名
-- optional: ad_id = Promoted Tweet ID | Promoted post ID | Ad ID | Tweet ID | Post ID | 広告ID
-- optional: ad = Ad name | Post text | Tweet text | 広告名
-- optional: impressions = Impressions | Impressionen | Impresiones | Impression | Impressões | インプレッション
-- optional: impressions = インプレッション数
-- optional: clicks = Clicks | Klicks | Clics | Clic | Cliques | Klikken | クリック数 | クリック
-- optional: purchases = Purchases | Purchases - all | Purchases – all | Purchases: all | Käufe | Achats | 購入
-- optional: value = Purchases - sale amount | Purchases – sale amount | Purchases sale amount | Sale amount - Purchases
-- optional: value = Purchases: sale amount
-- optional: views = Video views | Video total views | 動画の再生数
-- give: account_id, currency
select
    _row,
    day as date,
    'x' as platform,
    account_id,
    coalesce(campaign_id, campaign) as campaign_id,
    campaign,
    coalesce(adset_id, adset) as adset_id,
    adset,
    coalesce(ad_id, ad) as ad_id,
    ad,
    currency,
    spend,
    impressions,
    clicks,
    purchases as platform_conversions,
    value as platform_value,
    views as video_views
from source

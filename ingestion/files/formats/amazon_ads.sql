-- Amazon Ads: a sponsored ads report by day, from the console or the API.
-- source: https://advertising.amazon.com/help/GAYC9DJVVHVSW5MP
-- source: https://advertising.amazon.com/API/docs/en-us/guides/reporting/v3/columns
-- export: Measurement & Reporting, Sponsored ads reports, Campaign, time unit Daily; then Download.
-- kind: spend
-- required: day = Date | Day | Datum | Tag | Fecha | Data | Dato | Tarih | 日付 | 日期 | 날짜
-- required: campaign = Campaign Name | campaignName | Campaign | Kampagnenname | Name der Kampagne | Nom de la campagne
-- required: campaign = Nom de campagne | Nombre de campaña | Nombre de la campaña | Nome campagna | Nome della campagna
-- required: campaign = Nome da campanha | Campagnenaam | Nazwa kampanii | Kampanjnamn | Kampanya Adı
-- required: campaign = キャンペーン名 | 广告活动名称 | 廣告活動名稱 | 캠페인 이름
-- required: spend = Spend | Spend ({currency}) | Cost | Total cost | Total cost ({currency}) | Ausgaben | Kosten
-- required: spend = Gesamtkosten | Dépenses | Coût | Coût total | Gasto | Coste total | Costo total | Inversión | Spesa
-- required: spend = Costo totale | Gastos | Custo total | Uitgaven | Totale kosten | Wydatki | Koszt całkowity
-- required: spend = Utgifter | Kostnad | Harcama | 広告費 | 費用 | 总成本 | 花费 | 支出 | 지출
-- Reports of other vendors have a day, a campaign and a spend, too. A column of Amazon tells them apart.
-- required: mark = Total Advertising Cost of Sales (ACOS) | ACOS
-- required: mark = Total Return on Advertising Spend (RoAS) | Advertised ASIN | Advertised SKU | Portfolio name
-- required: mark = Portfolio ID | 14 Day Total Sales | 14 Day Total Orders (#) | 7 Day Total Sales
-- required: mark = 7 Day Total Orders (#) | 14 Day Total Sales - (Click) | purchases14d | sales14d | purchases7d
-- required: mark = campaignBudgetCurrencyCode | Purchases new-to-brand | Advertiser account ID | Portfolioname
-- required: mark = Name des Portfolios | Zugehörige Umsatzkosten (ACOS) | Zurechenbare Umsatzkosten (ACOS) gesamt
-- required: mark = Gesamte Werbekosten vom Umsatz (ACOS) | Nom du portefeuille | Nombre del portafolio
-- required: mark = Nombre de la cartera | Nombre de cartera | Nome portafoglio | Nome do portfólio | Naam portfolio
-- required: mark = Nazwa portfela | Portföljnamn | ポートフォリオ名 | 广告组合名称 | 포트폴리오 이름 | 7일 총 판매
-- required: mark = 총 판매 광고 비용(ACOS) | 広告費売上高比率(ACOS)合計 | 7 Tage, Umsatz gesamt | 14 Tage, Umsatz gesamt
-- optional: account_id = Advertiser account ID | Account ID | Profile ID | profileId | accountId
-- optional: currency = Currency | Budget currency | campaignBudgetCurrencyCode | Währung | Devise | Divisa | Moneda
-- optional: currency = Valuta | Moeda | Waluta | Para Birimi | 通貨 | 货币 | 貨幣 | 통화
-- optional: campaign_id = Campaign ID | campaignId | Kampagnen-ID | ID de la campagne | ID de campagne
-- optional: campaign_id = ID de campaña | ID campagna | ID da campanha | Campagne-ID | キャンペーンID | 캠페인 ID
-- optional: adset_id = Ad Group ID | adGroupId | Anzeigengruppen-ID | ID du groupe d'annonces | ID del grupo de anuncios
-- optional: adset = Ad Group Name | adGroupName | Name der Anzeigengruppe | Anzeigengruppenname | Anzeigengruppe
-- optional: adset = Nom du groupe d'annonces | Nombre del grupo de anuncios | Nome gruppo di annunci
-- optional: adset = Nome do grupo de anúncios | Advertentiegroepnaam | Nazwa grupy reklam | 広告グループ名
-- optional: adset = 广告组名称 | 광고그룹 이름
-- optional: ad_id = Ad ID | adId | Anzeigen-ID
-- optional: impressions = Impressions | Impressionen | Impresiones | Impressioni | Impressões | Vertoningen
-- optional: impressions = Weergaven | Wyświetlenia | Visningar | Gösterimler | インプレッション | インプレッション数
-- optional: impressions = 展示量 | 广告曝光量 | 광고 노출 수 | 노출수
-- optional: clicks = Clicks | Klicks | Clics | Clic | Cliques | Klikken | Kliks | Kliknięcia | Klick | Tıklamalar
-- optional: clicks = クリック数 | クリック | 点击量 | 点击次数 | 클릭수
-- optional: purchases = 14 Day Total Orders (#) | 14 Day Total Orders | purchases14d | purchases
-- optional: purchases = 14 Day Total Orders (#) - (Click) | 7 Day Total Orders (#) | 7 Day Total Orders | purchases7d
-- optional: purchases = 14 Tage, Bestellungen gesamt (#) | 7 Tage, Bestellungen gesamt (#) | 7일 총 주문(건수)
-- optional: value = 14 Day Total Sales | 14 Day Total Sales ({currency}) | sales14d | sales
-- optional: value = 14 Day Total Sales - (Click) | 7 Day Total Sales | 7 Day Total Sales ({currency}) | sales7d
-- optional: value = 14 Tage, Umsatz gesamt | 7 Tage, Umsatz gesamt | 7일 총 판매
-- optional: views = 5 Second Views | 5-second views | video5SecondViews
-- give: account_id, currency
-- Purchases are those of 14 days, as in pulls. Sponsored products reports of sellers have those of 7 days only.
select
    _row,
    day as date,
    'amazon' as platform,
    account_id,
    coalesce(campaign_id, campaign) as campaign_id,
    campaign,
    coalesce(adset_id, adset) as adset_id,
    adset,
    ad_id,
    currency,
    spend,
    impressions,
    clicks,
    purchases as platform_conversions,
    value as platform_value,
    views as video_views
from source

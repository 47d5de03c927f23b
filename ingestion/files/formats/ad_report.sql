-- Ad report: a table of spend by day and campaign, whatever its platform.
-- The headers are those of the platforms' layouts, and those of Taboola, Outbrain, Criteo, Quora, Adform and Apple Ads.
-- export: Report by day and campaign, with the columns date, campaign and spend.
-- kind: spend
-- required: date = Date | Day | Report date | Reporting date | Datum | Tag | Jour | Fecha | Día | Data | Giorno | Dia | Dag
-- required: date = Dzień | Dato | Tarih | Gün | Дата | День | 日付 | 日 | 日期 | 天 | 날짜 | 일
-- required: campaign = Campaign | Campaign name | Campaign title | Kampagne | Kampagnenname | Name der Kampagne | Campagne
-- required: campaign = Nom de la campagne | Nom de campagne | Campaña | Nombre de la campaña | Nombre de campaña
-- required: campaign = Campagna | Nome della campagna | Nome campagna | Campanha | Nome da campanha | Campagnenaam
-- required: campaign = Naam campagne | Kampania | Nazwa kampanii | Kampanj | Kampanjnamn | Kampagnenavn | Kampanjenavn
-- required: campaign = Kampanya | Kampanya Adı | Кампания | Название кампании | キャンペーン | キャンペーン名 | 广告系列
-- required: campaign = 广告系列名称 | 广告计划 | 廣告活動 | 캠페인 | 캠페인 이름 | Campaign ID
-- required: spend = Spend | Spend ({currency}) | Cost | Cost ({currency}) | Amount spent | Amount spent ({currency})
-- required: spend = Spent | Spent ({currency}) | Total spend | Total spent | Total cost | Ad spend | Ad cost | Media cost
-- required: spend = Advertiser cost | Ausgaben | Ausgaben ({currency}) | Kosten | Kosten ({currency}) | Gesamtkosten
-- required: spend = Gesamtausgaben | Ausgegebener Betrag | Ausgegebener Betrag ({currency}) | Werbekosten | Dépenses
-- required: spend = Dépense | Dépenses ({currency}) | Coût | Coût ({currency}) | Montant dépensé
-- required: spend = Montant dépensé ({currency}) | Gasto | Gasto ({currency}) | Coste | Coste ({currency}) | Costo
-- required: spend = Costo ({currency}) | Inversión | Importe gastado | Importe gastado ({currency}) | Spesa
-- required: spend = Spesa ({currency}) | Importo speso | Importo speso ({currency}) | Custo | Custo ({currency}) | Gastos
-- required: spend = Investimento | Valor gasto | Valor gasto ({currency}) | Valor usado ({currency}) | Uitgaven
-- required: spend = Uitgaven ({currency}) | Besteed bedrag | Besteed bedrag ({currency}) | Koszt | Wydatki | Wydana kwota
-- required: spend = Wydana kwota ({currency}) | Kostnad | Utgifter | Omkostninger | Forbrug | Forbruk | Maliyet | Harcama
-- required: spend = Harcanan Tutar ({currency}) | Расход | Расходы | Затраты | 費用 | コスト | 消化金額 | 広告費 | 费用
-- required: spend = 消耗 | 消费 | 花费 | 花費 | 支出 | 비용 | 총비용 | 지출
-- optional: platform = Platform | Ad platform | Advertising platform | Plattform | Plateforme | Plataforma | Piattaforma
-- optional: platform = Platforma
-- optional: account_id = Account ID | Ad account ID | Advertiser ID | Customer ID | Konto-ID | Werbekonto-ID | Kundennummer
-- optional: account_id = ID du compte | ID de la cuenta | ID dell'account | ID da conta | Account-ID
-- optional: currency = Currency | Currency code | Account currency | Währung | Währungscode | Devise | Moneda | Divisa
-- optional: currency = Valuta | Moeda | Waluta | Para birimi | Валюта | 通貨 | 通貨コード | 货币 | 币种 | 통화
-- optional: campaign_id = Campaign ID | Kampagnen-ID | ID de la campagne | ID de campagne | ID de la campaña
-- optional: campaign_id = ID de campaña | ID campagna | ID della campagna | ID da campanha | Campagne-ID
-- optional: campaign_id = Identyfikator kampanii | キャンペーンID | キャンペーン ID | 广告系列 ID | 캠페인 ID
-- optional: adset_id = Ad group ID | Ad set ID | Adset ID | Ad squad ID | Line item ID | Anzeigengruppen-ID
-- optional: adset = Ad group | Ad group name | Ad set | Ad set name | Adset name | Ad squad name | Line item
-- optional: adset = Line item name | Anzeigengruppe | Anzeigengruppenname | Name der Anzeigengruppe | Groupe d'annonces
-- optional: adset = Grupo de anuncios | Gruppo di annunci | Grupo de anúncios | Advertentiegroep | Grupa reklam
-- optional: adset = 広告グループ | 广告组 | 광고그룹
-- optional: ad_id = Ad ID | Creative ID | Anzeigen-ID
-- optional: ad = Ad | Ad name | Creative | Creative name | Anzeige | Anzeigenname | Name der Anzeige
-- optional: impressions = Impressions | Impr. | Impressionen | Impresiones | Impression | Impressioni | Impressões
-- optional: impressions = Vertoningen | Weergaven | Wyświetlenia | Visningar | Visninger | Gösterim | Показы | 表示回数
-- optional: impressions = インプレッション | インプレッション数 | 展示次数 | 展示量 | 曝光次數 | 노출수
-- optional: clicks = Clicks | Klicks | Clics | Clic | Cliques | Klikken | Kliknięcia | Klick | Klik | Tıklamalar | Клики
-- optional: clicks = クリック数 | 点击次数 | 点击量 | 點擊次數 | 클릭수
-- optional: conversions = Conversions | Konversionen | Conversiones | Conversioni | Conversões | Conversies | Konwersje
-- optional: conversions = Конверсии | コンバージョン | コンバージョン数 | 转化次数 | 전환수
-- optional: value = Conversion value | Conversions value | Conv. value | Revenue | Sales
-- optional: end_date = End date | Date end | Reporting ends
-- give: platform, account_id, currency
select
    _row,
    date,
    end_date,
    platform,
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
    conversions as platform_conversions,
    value as platform_value
from source

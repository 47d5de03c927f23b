-- Pinterest Ads Manager: a custom or templated report by day, or the columns of the API.
-- source: https://help.pinterest.com/en/business/article/reporting-in-ads-manager
-- source: https://developers.pinterest.com/docs/api/v5/analytics-create_report
-- export: Ads, Reporting, Custom report, time breakdown Day; then Export, .csv.
-- kind: spend
-- required: day = Date | Day | Datum | Tag | Jour | Fecha | Día | Data | Giorno | Dia | Dag | 日付 | 日
-- required: campaign = Campaign name | CAMPAIGN_NAME | Kampagnenname | Name der Kampagne | Nom de la campagne
-- required: campaign = Nom de campagne | Nombre de la campaña | Nombre de campaña | Nome della campagna | Nome campagna
-- required: campaign = Nome da campanha | Campagnenaam | Naam campagne | Nazwa kampanii | Kampanjnamn | Kampagnenavn
-- required: campaign = キャンペーン名 | Campaign ID
-- required: spend = Spend in account currency | Spend | Spend ({currency}) | SPEND_IN_DOLLAR | Ausgaben in Kontowährung
-- required: spend = Ausgaben | Dépenses dans la devise du compte | Dépenses | Gasto en la moneda de la cuenta
-- required: spend = Gasto | Spesa nella valuta dell'account | Spesa | Gastos na moeda da conta | Gasto na moeda da conta
-- required: spend = Uitgaven in accountvaluta | Uitgaven | Wydatki w walucie konta | Wydatki | アカウント通貨での費用
-- required: spend = 費用
-- Reports of other vendors have a day, a campaign and a spend, too. A column of Pinterest tells them apart.
-- required: mark = Spend in account currency | SPEND_IN_DOLLAR | Pin clicks | Total Pin clicks | Paid Pin clicks
-- required: mark = Outbound clicks | Saves | Pin ID | Promoted Pin ID | Pin promotion ID | PIN_PROMOTION_ID
-- required: mark = Total conversions (Checkout) | Total order value (Checkout) | TOTAL_CLICKTHROUGH | Pin-Klicks
-- required: mark = Ausgehende Klicks | Ausgaben in Kontowährung | Clics sur l'épingle | Clics sur les épingles
-- required: mark = Clics sortants | Dépenses dans la devise du compte | Clics en el Pin | Clics en Pines | Clics salientes
-- required: mark = Gasto en la moneda de la cuenta | Clic sui Pin | Clic sul Pin | Clic in uscita
-- required: mark = Cliques no Pin | Cliques em Pins | Cliques de saída | Pinklikken | Kliknięcia Pinów
-- required: mark = Spesa nella valuta dell'account | Uitgaven in accountvaluta | ピンのクリック数 | ピンクリック数
-- optional: account_id = Ad account ID | Account ID | Advertiser ID | Werbekonto-ID | Konto-ID | ID du compte publicitaire
-- optional: account_id = ID de la cuenta publicitaria | ID dell'account pubblicitario | ID da conta de anúncios
-- optional: currency = Currency | Account currency | Ad account currency | Währung | Devise | Moneda | Divisa | Valuta
-- optional: currency = Moeda | 通貨
-- optional: campaign_id = Campaign ID | Kampagnen-ID | ID de la campagne | ID de campagne | ID de la campaña
-- optional: campaign_id = ID de campaña | ID della campagna | ID campagna | ID da campanha | Campagne-ID | キャンペーンID
-- optional: adset_id = Ad group ID | Anzeigengruppen-ID | ID du groupe d'annonces | ID del grupo de anuncios
-- optional: adset_id = ID gruppo di annunci | ID del gruppo di annunci | ID do grupo de anúncios | 広告グループID
-- optional: adset = Ad group name | Anzeigengruppenname | Name der Anzeigengruppe | Nom du groupe d'annonces
-- optional: adset = Nombre del grupo de anuncios | Nome del gruppo di annunci | Nome do grupo de anúncios
-- optional: adset = Advertentiegroepnaam | Naam advertentiegroep | 広告グループ名
-- optional: ad_id = Ad ID | Pin promotion ID | Promoted Pin ID | Anzeigen-ID | ID de l'annonce | ID del anuncio
-- optional: ad_id = ID annuncio | ID do anúncio | 広告ID
-- optional: ad = Ad name | Pin promotion name | Promoted Pin name | Anzeigenname | Nom de l'annonce | Nombre del anuncio
-- optional: ad = Nome dell'annuncio | Nome do anúncio | 広告名
-- optional: impressions = Impressions | Total impressions | TOTAL_IMPRESSION | Impressionen | Impresiones | Impression
-- optional: impressions = Impressioni | Impressões | Vertoningen | Weergaven | Wyświetlenia | インプレッション数
-- optional: clicks = Pin clicks | Total Pin clicks | TOTAL_CLICKTHROUGH | Pin-Klicks | Clics sur l'épingle
-- optional: clicks = Clics sur les épingles | Clics en el Pin | Clics en Pines | Clic sui Pin | Clic sul Pin
-- optional: clicks = Cliques no Pin | Cliques em Pins | Pinklikken | Kliknięcia Pinów | ピンのクリック数 | ピンクリック数
-- optional: checkouts = Total conversions (Checkout) | Checkouts | Total checkouts | TOTAL_CHECKOUT
-- optional: value = Total order value (Checkout) | Total checkout value | Checkout value | TOTAL_CHECKOUT_VALUE
-- optional: views = Video views | Total video views | TOTAL_VIDEO_MRC_VIEWS
-- give: account_id, currency
select
    _row,
    day as date,
    'pinterest' as platform,
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
    checkouts as platform_conversions,
    value as platform_value,
    views as video_views
from source

-- Snapchat Ads Manager: a report of campaigns, ad sets or ads by day.
-- source: https://businesshelp.snapchat.com/s/article/reporting
-- source: https://businesshelp.snapchat.com/s/article/metrics-glossary
-- export: Ads Manager, Reports, Create report, time breakdown Day; then Download, .csv.
-- kind: spend
-- required: day = Date | Day | Start Time | Time | Datum | Tag | Startzeit | Jour | Heure de début | Fecha | Día
-- required: day = Hora de inicio | Data | Giorno | Ora di inizio | Dia | Dag | Starttijd | التاريخ
-- required: campaign = Campaign Name | Kampagnenname | Name der Kampagne | Nom de la campagne | Nombre de la campaña
-- required: campaign = Nome della campagna | Nome campagna | Nome da campanha | Campagnenaam | Kampanya Adı | اسم الحملة
-- required: campaign = Campaign ID
-- The API writes `spend` in micros, so a bare Spend is none of the headers.
-- required: spend = Amount Spent | Amount Spent ({currency}) | Spend ({currency}) | Ausgegebener Betrag
-- required: spend = Ausgegebener Betrag ({currency}) | Montant dépensé | Montant dépensé ({currency}) | Importe gastado
-- required: spend = Importe gastado ({currency}) | Importo speso | Importo speso ({currency}) | Valor gasto
-- required: spend = Valor gasto ({currency}) | Besteed bedrag | Besteed bedrag ({currency}) | Harcanan Tutar | المبلغ المنفق
-- Reports of other vendors have a day, a campaign and an amount, too. A column of Snapchat tells them apart.
-- required: mark = Paid Impressions | Paid eCPM | Swipe Ups | Swipes | Clicks (Swipe Ups) | Swipe Up Rate | eCPSU
-- required: mark = Ad Squad Name | Ad Squad ID | 2 Second Video Views | 2 Second Views | 15 Second Video Views
-- required: mark = Story Opens | Attachment Views | Bezahlte Impressionen | Bezahlte Impressions | Impressions payantes
-- required: mark = Impressions payées | Impresiones pagadas | Impressioni a pagamento | Impressões pagas
-- required: mark = Betaalde vertoningen | Ücretli Gösterimler
-- optional: end_time = End Time | Endzeit | Heure de fin | Hora de finalización | Ora di fine | Eindtijd
-- optional: account_id = Ad Account ID | Account ID | Werbekonto-ID | ID du compte publicitaire
-- optional: currency = Currency | Account Currency | Ad Account Currency | Währung | Devise | Moneda | Divisa | Valuta
-- optional: currency = Moeda | Para Birimi | العملة
-- optional: campaign_id = Campaign ID | Kampagnen-ID | ID de la campagne | ID de la campaña | ID campagna
-- optional: campaign_id = ID da campanha | Campagne-ID
-- optional: adset_id = Ad Set ID | Ad Squad ID | Anzeigengruppen-ID | ID de l'ensemble de publicités
-- optional: adset = Ad Set Name | Ad Squad Name | Anzeigengruppenname | Name der Anzeigengruppe
-- optional: adset = Nom de l'ensemble de publicités | Nombre del conjunto de anuncios | Nome do conjunto de anúncios
-- optional: ad_id = Ad ID | Anzeigen-ID | ID de la publicité | ID del anuncio | ID do anúncio
-- optional: ad = Ad Name | Anzeigenname | Nom de la publicité | Nombre del anuncio | Nome do anúncio
-- optional: impressions = Paid Impressions | Impressions | Bezahlte Impressionen | Bezahlte Impressions
-- optional: impressions = Impressions payantes | Impressions payées | Impresiones pagadas | Impressioni a pagamento
-- optional: impressions = Impressões pagas | Betaalde vertoningen | Ücretli Gösterimler
-- optional: clicks = Swipe Ups | Swipes | Clicks (Swipe Ups) | Clicks | Klicks | Clics | Clic | Cliques | Klikken
-- optional: clicks = Tıklamalar
-- optional: purchases = Purchases | Total Purchases | Käufe | Achats | Compras | Acquisti | Aankopen
-- optional: value = Purchases Value | Purchase Value | Total Purchases Value
-- optional: views = 2 Second Video Views | 2 Second Views | Video Views
-- give: account_id, currency
with days as (
    select
        *,
        -- A day begins at midnight in the account's time zone, and ends at the next.
        '^(\d{4}-\d{2}-\d{2})[T ]00:00(:00(\.0+)?)? ?(Z|[+-]\d{2}:?\d{2})?$' as midnight
    from source
)
select
    _row,
    regexp_replace(day, midnight, '\1') as date,
    if(
        regexp_matches(end_time, midnight), (try_cast(left(end_time, 10) as date) - 1)::varchar, left(end_time, 10)
    ) as end_date,
    'snapchat' as platform,
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
from days

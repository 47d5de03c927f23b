-- Reddit Ads Manager: a report of campaigns, ad groups or ads by day.
-- source: https://business.reddithelp.com/s/article/Reporting-in-Ads-Manager
-- source: https://ads-api.reddit.com/docs/v3/operations/Get%20A%20Report
-- export: Ads Manager, Reporting, breakdown Date; then Export, .csv.
-- kind: spend
-- required: day = Date | Day | Datum | Tag | Jour | Fecha | Día | Data | Giorno | Dia | Dag
-- required: campaign = Campaign Name | Campaign | Kampagnenname | Name der Kampagne | Nom de la campagne
-- required: campaign = Nombre de la campaña | Nome della campagna | Nome da campanha | Campagnenaam | Campaign ID
-- required: spend = Amount Spent | Amount Spent ({currency}) | Spend | Spend ({currency}) | Ausgegebener Betrag
-- required: spend = Ausgegebener Betrag ({currency}) | Ausgaben | Montant dépensé | Montant dépensé ({currency})
-- required: spend = Dépenses | Importe gastado | Importe gastado ({currency}) | Gasto | Importo speso | Spesa | Valor gasto
-- required: spend = Besteed bedrag | Uitgaven
-- Reports of other vendors have a day, a campaign and an amount, too. A column of Reddit tells them apart.
-- required: mark = eCPM | eCPM ({currency}) | Upvotes | Downvotes | Community | Subreddit | Comment Views
-- required: mark = Post URL | Purchase (Clicks) | Purchase (Views) | Purchase (Total)
-- required: mark = Purchase Click Conversions | Purchase View Conversions | Key Conversion Total Count
-- required: mark = Purchase (Click-through conversions) | Purchase (View-through conversions)
-- optional: account_id = Account ID | Ad Account ID | Konto-ID | ID du compte
-- optional: currency = Currency | Account Currency | Währung | Devise | Moneda | Divisa | Valuta | Moeda
-- optional: campaign_id = Campaign ID | Kampagnen-ID | ID de la campagne | ID de la campaña | ID campagna
-- optional: campaign_id = ID da campanha
-- optional: adset_id = Ad Group ID | Anzeigengruppen-ID | ID du groupe d'annonces | ID del grupo de anuncios
-- optional: adset = Ad Group Name | Ad Group | Anzeigengruppenname | Name der Anzeigengruppe | Nom du groupe d'annonces
-- optional: adset = Nombre del grupo de anuncios
-- optional: ad_id = Ad ID | Anzeigen-ID | ID de l'annonce | ID del anuncio
-- optional: ad = Ad Name | Ad | Anzeigenname | Nom de l'annonce | Nombre del anuncio
-- optional: impressions = Impressions | Impressionen | Impresiones | Impressioni | Impressões | Vertoningen
-- optional: clicks = Clicks | Klicks | Clics | Clic | Cliques | Klikken
-- optional: purchases = Purchase (Total) | Total Purchases | Purchases (Total)
-- optional: after_click = Purchase (Clicks) | Purchase Click Conversions | Purchase (Click-through conversions)
-- optional: after_view = Purchase (Views) | Purchase View Conversions | Purchase (View-through conversions)
-- optional: value = Purchase Total Value | Total Purchase Value | Purchase (Total value) | Purchase Value
-- optional: views = Video Views | Video Starts | Video Started
-- give: account_id, currency
select
    _row,
    day as date,
    'reddit' as platform,
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
    coalesce(
        purchases, (try_cast(after_click as bigint) + coalesce(try_cast(after_view as bigint), 0))::varchar
    ) as platform_conversions,
    value as platform_value,
    views as video_views
from source

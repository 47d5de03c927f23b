-- Microsoft Advertising: a performance report by day, downloaded, scheduled or from the API.
-- source: https://help.ads.microsoft.com/apex/index/3/en/52035
-- source: https://learn.microsoft.com/en-us/advertising/reporting-service/campaignperformancereportcolumn
-- export: Reports, Default reports, Performance, Campaign or Ad, unit of time Day; then Download, .csv.
-- kind: spend
-- required: day = Gregorian date | TimePeriod | Day | Date | Gregorianisches Datum | Datum | Tag
-- required: day = Date grégorienne | Jour | Fecha gregoriana | Fecha | Día | Data gregoriana | Data | Giorno | Dia
-- required: day = Gregoriaanse datum | Dag | Data gregoriańska | Gregorianskt datum | Gregoriansk dato | グレゴリオ暦の日付
-- required: day = 日付 | 日 | 公历日期 | 日期
-- required: campaign = Campaign name | CampaignName | Campaign | Kampagnenname | Name der Kampagne | Kampagne
-- required: campaign = Nom de la campagne | Nom de campagne | Campagne | Nombre de la campaña | Nombre de campaña
-- required: campaign = Campaña | Nome della campagna | Nome campagna | Campagna | Nome da campanha | Campanha
-- required: campaign = Campagnenaam | Naam campagne | Nazwa kampanii | Kampanjnamn | Kampagnenavn | Kampanjenavn
-- required: campaign = キャンペーン名 | 广告系列名称 | 行銷活動名稱
-- required: spend = Spend | Spend ({currency}) | Ausgaben | Dépenses | Dépense | Gasto | Inversión | Spesa | Gastos
-- required: spend = Uitgaven | Besteding | Wydatki | Utgifter | Forbrug | Udgifter | Forbruk | 費用 | 支出 | 花费 | 花費
-- Reports of other vendors have a day, a campaign and a spend, too. A column of Microsoft tells them apart.
-- required: mark = Gregorian date | TimePeriod | Account number | AccountNumber | AccountId | Currency code | CurrencyCode
-- required: mark = Avg. CPC | Average CPC | AverageCpc | Impr. | Campaign type | CampaignType | Ad distribution
-- required: mark = AdDistribution | Delivered match type | Return on ad spend | ReturnOnAdSpend | Customer name
-- required: mark = ConversionsQualified | Top vs. other | Device OS | Bid strategy type | Gregorianisches Datum
-- required: mark = Kontonummer | Währungscode | Durchschn. CPC | Durchschnittlicher CPC | Date grégorienne
-- required: mark = Numéro de compte | Code de devise | Code de la devise | CPC moyen | CPC moy. | Fecha gregoriana
-- required: mark = Número de cuenta | Código de moneda | CPC medio | CPC prom. | CPC promedio | Data gregoriana
-- required: mark = Numero di account | Numero account | Codice valuta | Número da conta | Código da moeda
-- required: mark = CPC médio | Gregoriaanse datum | Accountnummer | Rekeningnummer | Valutacode | Gem. CPC
-- required: mark = Data gregoriańska | Numer konta | Kod waluty | Gregorianskt datum | Valutakod
-- required: mark = Gregoriansk dato | Valutakode | アカウント番号 | 通貨コード | 平均クリック単価 | 帐户号码 | 货币代码
-- Account number is another name of the account than its id. It counts if the report has no id.
-- optional: account_id = Account ID | AccountId | Account number | AccountNumber | Konto-ID | Kontonummer | ID du compte
-- optional: account_id = Numéro de compte | Id. de cuenta | ID de cuenta | Número de cuenta | ID account
-- optional: account_id = Numero di account | Numero account | ID da conta | Número da conta | Account-ID | Accountnummer
-- optional: account_id = Identyfikator konta | Numer konta | アカウント ID | アカウント番号
-- optional: currency = Currency code | CurrencyCode | Currency | Währungscode | Währung | Code de devise
-- optional: currency = Code de la devise | Devise | Código de moneda | Moneda | Codice valuta | Valuta | Código da moeda
-- optional: currency = Moeda | Valutacode | Kod waluty | Waluta | Valutakod | Valutakode | 通貨コード | 通貨 | 货币代码
-- optional: campaign_id = Campaign ID | CampaignId | Kampagnen-ID | ID de la campagne | ID de campagne
-- optional: campaign_id = Id. de campaña | ID de campaña | ID de la campaña | ID campagna | ID da campanha | Campagne-ID
-- optional: campaign_id = Identyfikator kampanii | Kampanj-ID | Kampagne-id | キャンペーン ID
-- optional: adset_id = Ad group ID | AdGroupId | Anzeigengruppen-ID | ID du groupe d'annonces | ID de groupe d'annonces
-- optional: adset_id = Id. de grupo de anuncios | ID de grupo de anuncios | ID del grupo de anuncios
-- optional: adset_id = ID gruppo di annunci | ID do grupo de anúncios | Advertentiegroep-ID | 広告グループ ID
-- optional: adset = Ad group | Ad group name | AdGroupName | Anzeigengruppe | Anzeigengruppenname
-- optional: adset = Name der Anzeigengruppe | Groupe d'annonces | Nom du groupe d'annonces | Grupo de anuncios
-- optional: adset = Nombre del grupo de anuncios | Gruppo di annunci | Grupo de anúncios | Advertentiegroep
-- optional: adset = Grupa reklam | Annonsgrupp | Annoncegruppe | 広告グループ
-- optional: ad_id = Ad ID | AdId | Anzeigen-ID | ID de l'annonce | ID d'annonce | Id. del anuncio | ID de anuncio
-- optional: ad_id = ID annuncio | ID do anúncio | Advertentie-ID | 広告 ID
-- optional: ad = Ad title | AdTitle | Title part 1 | TitlePart1
-- optional: impressions = Impressions | Impr. | Impressionen | Impresiones | Impressioni | Impressões | Vertoningen
-- optional: impressions = Wyświetlenia | Visningar | Visninger | Eksponeringer | インプレッション数 | インプレッション
-- optional: impressions = 表示回数 | 展示次数 | 曝光數
-- optional: clicks = Clicks | Klicks | Clics | Clic | Cliques | Klikken | Kliknięcia | Klickningar | Klik | Klikk
-- optional: clicks = クリック数 | 点击次数 | 點擊數
-- optional: conversions = ConversionsQualified | Conversions qualified | Conversions | Conv. | Konversionen
-- optional: conversions = Conversiones | Conversioni | Conversões | Conversies | Konwersje | Konverteringar
-- optional: conversions = Konverteringer | コンバージョン数 | コンバージョン | 转化次数
-- optional: value = Revenue | Umsatz | Chiffre d'affaires | Revenu | Recettes | Ingresos | Ricavi | Entrate | Receita
-- optional: value = Omzet | Opbrengst | Przychód | Intäkter | Omsætning | 収益 | 売上 | 收入
-- optional: views = Video views | VideoViews
-- give: account_id, currency
-- footer: ^[\s"]*(©|\(c\))\s*\d{4} Microsoft
select
    _row,
    day as date,
    'microsoft' as platform,
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
    value as platform_value,
    views as video_views
from source

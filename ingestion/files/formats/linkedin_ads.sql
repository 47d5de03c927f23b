-- LinkedIn Campaign Manager: a campaign or ad performance report by day.
-- source: https://www.linkedin.com/help/lms/answer/a424518
-- export: Advertise, Export; report type Campaign performance or Ad performance, time breakdown Daily.
-- kind: spend
-- required: day = Start Date (in UTC) | Start Date (UTC) | Start Date | Date | Day | Startdatum (in UTC)
-- required: day = Startdatum (UTC) | Startdatum | Datum | Tag | Date de début (en UTC) | Date de début (UTC)
-- required: day = Date de début | Fecha de inicio (en UTC) | Fecha de inicio (UTC) | Fecha de inicio | Data di inizio (in UTC)
-- required: day = Data di inizio (UTC) | Data di inizio | Data inizio (in UTC) | Data de início (em UTC)
-- required: day = Data de início (UTC) | Data de início | Begindatum (in UTC) | Begindatum (UTC) | Begindatum
-- required: day = Data rozpoczęcia (UTC) | Data rozpoczęcia | Startdatum (i UTC) | Startdato (i UTC) | Startdato (UTC)
-- required: day = Startdato | Başlangıç Tarihi (UTC) | Başlangıç Tarihi | 開始日(UTC) | 開始日 (UTC) | 開始日
-- required: day = 开始日期(UTC) | 开始日期 (UTC) | 开始日期
-- required: spend = Total Spent | Total Spent ({currency}) | Total Spend | Gesamtausgaben | Gesamtausgaben ({currency})
-- required: spend = Ausgaben insgesamt | Insgesamt ausgegeben | Total dépensé | Total des dépenses | Dépenses totales
-- required: spend = Total gastado | Gasto total | Total invertido | Totale speso | Spesa totale | Importo totale speso
-- required: spend = Total gasto | Totaal besteed | Totaal uitgegeven | Totale uitgaven | Łączne wydatki | Wydano łącznie
-- required: spend = Totalt spenderat | Totalt använt | Totale utgifter | Samlet forbrug | Totalt forbruk | Toplam Harcama
-- required: spend = Toplam Harcanan | 合計費用 | 総費用 | 总花费 | 总支出 | 總花費 | 총 지출
-- required: name = Campaign Name | Campaign Group Name | Ad Set Name | Name der Kampagne | Kampagnenname
-- required: name = Kampagnengruppenname | Name der Kampagnengruppe | Name der Anzeigengruppe | Nom de la campagne
-- required: name = Nom du groupe de campagnes | Nombre de la campaña | Nombre del grupo de campañas | Nombre de campaña
-- required: name = Nome della campagna | Nome campagna | Nome del gruppo di campagne | Nome da campanha
-- required: name = Nome do grupo de campanhas | Campagnenaam | Naam campagne | Naam campagnegroep | Nazwa kampanii
-- required: name = Nazwa grupy kampanii | Kampanjnamn | Kampagnenavn | Kampanjenavn | Kampanya Adı | キャンペーン名
-- required: name = キャンペーングループ名 | 广告计划名称 | 广告系列名称 | 廣告活動名稱 | 캠페인 이름
-- optional: account_id = Account ID | Ad Account ID | Konto-ID | ID du compte | ID de la cuenta | ID account
-- optional: account_id = ID da conta | Account-ID | Identyfikator konta
-- optional: currency = Currency | Währung | Devise | Moneda | Divisa | Valuta | Moeda | Waluta | Para Birimi | 通貨 | 币种
-- optional: currency = 货币 | 幣別 | 통화
-- LinkedIn has renamed campaign groups to campaigns, and campaigns to ad sets. Exports have the old or the new names.
-- optional: group_id = Campaign Group ID | Kampagnengruppen-ID | ID der Kampagnengruppe | ID du groupe de campagnes
-- optional: group_id = ID del grupo de campañas | ID del gruppo di campagne | ID gruppo di campagne
-- optional: group_id = ID do grupo de campanhas | Campagnegroep-ID | Identyfikator grupy kampanii | キャンペーングループID
-- optional: group_name = Campaign Group Name | Campaign Group | Kampagnengruppenname | Name der Kampagnengruppe
-- optional: group_name = Nom du groupe de campagnes | Nombre del grupo de campañas | Nome del gruppo di campagne
-- optional: group_name = Nome gruppo di campagne | Nome do grupo de campanhas | Naam campagnegroep
-- optional: group_name = Naam van campagnegroep | Nazwa grupy kampanii | Kampanjgruppens namn | Kampagnegruppens navn
-- optional: group_name = Kampanya Grubu Adı | キャンペーングループ名 | 캠페인 그룹 이름
-- optional: campaign_id = Campaign ID | Kampagnen-ID | ID der Kampagne | ID de la campagne | ID de campagne
-- optional: campaign_id = ID de la campaña | ID de campaña | ID della campagna | ID campagna | ID da campanha
-- optional: campaign_id = Campagne-ID | Identyfikator kampanii | Kampanj-id | Kampagne-id | キャンペーンID | 캠페인 ID
-- optional: campaign = Campaign Name | Name der Kampagne | Kampagnenname | Nom de la campagne | Nombre de la campaña
-- optional: campaign = Nombre de campaña | Nome della campagna | Nome campagna | Nome da campanha | Campagnenaam
-- optional: campaign = Naam campagne | Nazwa kampanii | Kampanjnamn | Kampagnenavn | Kampanjenavn | Kampanya Adı
-- optional: campaign = キャンペーン名 | 广告计划名称 | 广告系列名称 | 廣告活動名稱 | 캠페인 이름
-- optional: adset_id = Ad Set ID | Anzeigengruppen-ID | ID de l'ensemble de publicités | ID del conjunto de anuncios
-- optional: adset_id = ID del gruppo di inserzioni | ID do conjunto de anúncios | Advertentieset-ID
-- optional: adset = Ad Set Name | Name der Anzeigengruppe | Anzeigengruppenname | Nom de l'ensemble de publicités
-- optional: adset = Nombre del conjunto de anuncios | Nome del gruppo di inserzioni | Nome do conjunto de anúncios
-- optional: adset = Naam advertentieset | Advertentiesetnaam
-- optional: ad_id = Ad ID | Creative ID | Anzeigen-ID | ID der Anzeige | ID de la publicité | ID del anuncio
-- optional: ad_id = ID annuncio | ID dell'inserzione | ID do anúncio | Advertentie-ID | Identyfikator reklamy | 広告ID
-- optional: ad = Ad Name | Creative Name | Anzeigenname | Name der Anzeige | Nom de la publicité | Nombre del anuncio
-- optional: ad = Nome dell'inserzione | Nome annuncio | Nome do anúncio | Advertentienaam | Naam advertentie
-- optional: ad = Nazwa reklamy | 広告名
-- optional: impressions = Impressions | Impressionen | Impresiones | Impression | Impressioni | Impressões | Vertoningen
-- optional: impressions = Weergaven | Wyświetlenia | Visningar | Visninger | Gösterimler | インプレッション数
-- optional: impressions = インプレッション | 展示次数 | 曝光次數 | 노출수
-- optional: clicks = Clicks | Klicks | Clics | Clic | Cliques | Klikken | Kliks | Kliknięcia | Klick | Klik | Klikk
-- optional: clicks = Tıklamalar | クリック数 | 点击量 | 点击次数 | 點擊次數 | 클릭수
-- optional: conversions = Conversions | Conversiones | Conversioni | Conversões | Conversies | Konwersje | Konversionen
-- optional: conversions = Konverteringar | Konverteringer | Dönüşümler | コンバージョン数 | コンバージョン | 转化次数
-- optional: value = Total Conversion Value | Conversion Value | Gesamter Conversion-Wert | Conversion-Wert insgesamt
-- optional: value = Valeur totale des conversions | Valor total de conversión | Valor total de conversiones
-- optional: value = Valore totale delle conversioni | Valor total de conversão | Totale conversiewaarde
-- optional: views = Video Views | Videoaufrufe | Vues de la vidéo | Vues vidéo | Visualizaciones de vídeo
-- optional: views = Visualizzazioni video | Visualizações do vídeo | Videoweergaven | Wyświetlenia filmu | 動画再生数
-- give: account_id, currency
-- A campaign group is a campaign in Tributary, and a campaign is an ad set, as in pulls. If the export has no groups, its
-- campaigns stay campaigns.
with levels as (
    select *, coalesce(group_id, group_name) is not null as has_group
    from source
)
select
    _row,
    day as date,
    'linkedin' as platform,
    account_id,
    coalesce(group_id, group_name, campaign_id, campaign, adset_id, adset) as campaign_id,
    if(has_group, group_name, campaign) as campaign,
    if(has_group, coalesce(campaign_id, campaign), coalesce(adset_id, adset)) as adset_id,
    if(has_group, campaign, adset) as adset,
    coalesce(ad_id, ad) as ad_id,
    ad,
    currency,
    spend,
    impressions,
    clicks,
    conversions as platform_conversions,
    value as platform_value,
    views as video_views
from levels

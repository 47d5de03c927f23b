-- TikTok Ads Manager: a report by day, or an export of campaigns, ad groups or ads with the day.
-- source: https://ads.tiktok.com/help/article/how-to-create-a-custom-report-in-tiktok-ads-manager
-- source: https://business-api.tiktok.com/portal/docs?id=1751443956638721
-- export: Reporting, Custom report, dimensions By day and Campaign, Ad group or Ad; then Export, .csv or .xlsx.
-- kind: spend
-- required: day = By Day | Stat Time Day | Date | Day | Time | Nach Tag | Tag | Datum | Par jour | Jour | Date (jour)
-- required: day = Por día | Día | Fecha | Per giorno | Giorno | Data | Por dia | Dia | Per dag | Dag | Według dnia | Dzień
-- required: day = Efter dag | Güne Göre | Gün | Tarih | По дням | Дата | День | 日別 | 日付 | 日 | 按天 | 日期 | 按日 | 일별
-- required: day = 날짜 | Theo ngày | Ngày | Berdasarkan Hari | Menurut Hari | Hari | Tanggal | ตามวัน
-- required: campaign = Campaign name | Kampagnenname | Name der Kampagne | Nom de la campagne | Nombre de la campaña
-- required: campaign = Nombre de campaña | Nome della campagna | Nome campagna | Nome da campanha | Campagnenaam
-- required: campaign = Naam campagne | Nazwa kampanii | Kampanjnamn | Kampagnenavn | Kampanya adı | Название кампании
-- required: campaign = キャンペーン名 | 推广系列名称 | 广告系列名称 | 推廣活動名稱 | 行銷活動名稱 | 캠페인 이름 | 캠페인명
-- required: campaign = Tên chiến dịch | Nama kampanye | ชื่อแคมเปญ | Campaign ID
-- required: cost = Cost | Cost ({currency}) | Total cost | Total cost ({currency}) | Spend | Spend ({currency}) | Kosten
-- required: cost = Gesamtkosten | Coût | Coût total | Coste | Costo | Coste total | Costo total | Costo totale | Custo
-- required: cost = Custo total | Totale kosten | Koszt | Łączny koszt | Kostnad | Omkostninger | Maliyet | Toplam maliyet
-- required: cost = Расходы | Затраты | 費用 | コスト | 消化金額 | 消耗 | 总消耗 | 花費 | 總花費 | 비용 | 총비용 | Chi phí | Biaya
-- required: cost = ค่าใช้จ่าย
-- Reports of other vendors have a day, a campaign and a cost, too. A column of TikTok tells them apart.
-- required: mark = By Day | Stat Time Day | Clicks (destination) | CPC (destination) | CTR (destination) | Clicks (all)
-- required: mark = Video views at 25% | 2-second video views | 6-second video views | Focused view
-- required: mark = Conversion rate (CVR) | Total complete payment | Complete payment ROAS
-- required: mark = Complete payment | Real-time conversions | Nach Tag | Par jour
-- required: mark = Por día | Per giorno | Por dia | Per dag | Według dnia | Efter dag | Güne Göre | По дням | 日別 | 按天
-- required: mark = 按日 | 일별 | Theo ngày | Berdasarkan Hari | Menurut Hari | ตามวัน | Klicks (Ziel) | Clics (destination)
-- required: mark = Clics (destino) | Clic (destinazione) | Cliques (destino) | クリック数(デスティネーション)
-- required: mark = 点击量(目标页面) | 点击数(目标页面) | 클릭수(목적지) | 클릭수(랜딩 페이지)
-- optional: account_id = Account ID | Advertiser ID | Ad account ID | Konto-ID | Werbekonto-ID | ID du compte
-- optional: account_id = ID de la cuenta | ID account | ID da conta | アカウントID | 账户ID | 广告账户 ID | 계정 ID
-- optional: currency = Currency | Währung | Devise | Moneda | Divisa | Valuta | Moeda | Waluta | Para birimi | Валюта
-- optional: currency = 通貨 | 货币 | 币种 | 貨幣 | 통화
-- optional: campaign_id = Campaign ID | Kampagnen-ID | ID de la campagne | ID de campagne | ID de la campaña
-- optional: campaign_id = ID de campaña | ID della campagna | ID campagna | ID da campanha | Campagne-ID
-- optional: campaign_id = Identyfikator kampanii | Kampanya kimliği | ID кампании | キャンペーンID | キャンペーン ID
-- optional: campaign_id = 推广系列ID | 广告系列ID | 推廣活動ID | 캠페인 ID | ID chiến dịch | ID kampanye
-- optional: adset_id = Ad group ID | Anzeigengruppen-ID | ID du groupe d'annonces | ID du groupe publicitaire
-- optional: adset_id = ID del grupo de anuncios | ID gruppo di annunci | ID del gruppo di annunci
-- optional: adset_id = ID do grupo de anúncios | Advertentiegroep-ID | Reklam grubu kimliği | 広告グループID | 广告组ID
-- optional: adset_id = 廣告群組ID | 광고 그룹 ID | 광고그룹 ID
-- optional: adset = Ad group name | Anzeigengruppenname | Name der Anzeigengruppe | Nom du groupe d'annonces
-- optional: adset = Nom du groupe publicitaire | Nombre del grupo de anuncios | Nome del gruppo di annunci
-- optional: adset = Nome gruppo annunci | Nome do grupo de anúncios | Advertentiegroepnaam | Naam advertentiegroep
-- optional: adset = Nazwa grupy reklam | Reklam grubu adı | 広告グループ名 | 广告组名称 | 廣告群組名稱 | 광고 그룹 이름
-- optional: adset = 광고그룹 이름 | Tên nhóm quảng cáo | Nama grup iklan
-- optional: ad_id = Ad ID | Anzeigen-ID | ID de l'annonce | ID de la publicité | ID del anuncio | ID annuncio
-- optional: ad_id = ID do anúncio | Advertentie-ID | Identyfikator reklamy | Reklam kimliği | 広告ID | 广告ID | 廣告ID
-- optional: ad_id = 광고 ID
-- optional: ad = Ad name | Anzeigenname | Name der Anzeige | Nom de l'annonce | Nom de la publicité
-- optional: ad = Nombre del anuncio | Nome dell'annuncio | Nome annuncio | Nome do anúncio | Advertentienaam
-- optional: ad = Naam advertentie | Nazwa reklamy | Reklam adı | 広告名 | 广告名称 | 廣告名稱 | 광고 이름 | Tên quảng cáo
-- optional: impressions = Impressions | Impression | Impressionen | Impresiones | Impressioni | Impressões | Vertoningen
-- optional: impressions = Weergaven | Wyświetlenia | Visningar | Gösterim | Gösterimler | Показы | インプレッション
-- optional: impressions = インプレッション数 | 展示量 | 展示数 | 展示次数 | 曝光次數 | 曝光數 | 노출수 | 노출 | Lượt hiển thị
-- optional: impressions = Tayangan | Impresi
-- optional: clicks = Clicks (destination) | Clicks | Click | Klicks (Ziel) | Klicks | Clics (destination) | Clics (destino)
-- optional: clicks = Clics | Clic (destinazione) | Clic | Cliques (destino) | Cliques | Klikken (bestemming) | Klikken
-- optional: clicks = Kliknięcia (miejsce docelowe) | Kliknięcia | Tıklamalar (hedef) | Tıklamalar | Клики
-- optional: clicks = クリック数(デスティネーション) | クリック数(リンク先) | クリック数 | 点击量(目标页面) | 点击数(目标页面)
-- optional: clicks = 点击量 | 点击数 | 點擊次數 | 클릭수(목적지) | 클릭수(랜딩 페이지) | 클릭수 | Số lượt nhấp | Klik
-- optional: purchases = Complete payment | Complete payment (website) | Total complete payment | Complete payments
-- optional: purchases = Purchases (website) | Purchase (website)
-- optional: value = Total complete payment rate | Total complete payment value | Complete payment value
-- optional: value = Purchase value (website) | Total purchase value (website)
-- optional: views = Video views | Video play actions | Videoaufrufe | Vues de la vidéo | Vues de vidéo
-- optional: views = Visualizaciones de vídeo | Visualizaciones de video | Visualizzazioni video
-- optional: views = Visualizações do vídeo | 動画視聴数 | 视频播放量 | 影片觀看次數 | 동영상 조회수
-- give: account_id, currency
-- Clicks are those to the destination, as in pulls. Conversions are those that the ad group is optimised for, so only
-- complete payments are platform_conversions.
select
    _row,
    day as date,
    'tiktok' as platform,
    account_id,
    coalesce(campaign_id, campaign) as campaign_id,
    campaign,
    coalesce(adset_id, adset) as adset_id,
    adset,
    coalesce(ad_id, ad) as ad_id,
    ad,
    currency,
    cost as spend,
    impressions,
    clicks,
    purchases as platform_conversions,
    value as platform_value,
    views as video_views
from source

-- Google Ads: a report with a day column, downloaded or scheduled.
-- source: https://support.google.com/google-ads/answer/2454072
-- source: https://support.google.com/google-ads/answer/2404176
-- export: Campaigns, Segment, Time, Day; then Download, .csv. Or Insights and reports, Report editor, with the row Day.
-- kind: spend
-- required: day = Day | Tag | Jour | Día | Giorno | Dia | Dag | Dzień | Päivä | Den | Deň | Nap | Zi | Ziua | Gün
-- required: day = День | Ημέρα | 日 | 天 | 일 | 일별 | Ngày | Hari | วัน
-- required: campaign = Campaign | Kampagne | Campagne | Campaña | Campagna | Campanha | Kampania | Kampanj | Kampanje
-- required: campaign = Kampanja | Kampaň | Kampány | Campanie | Kampanya | Кампания | Кампанія | Εκστρατεία | Καμπάνια
-- required: campaign = キャンペーン | 广告系列 | 廣告活動 | 캠페인 | Chiến dịch | Kampanye | แคมเปญ
-- required: cost = Cost | Cost ({currency}) | Kosten | Kosten ({currency}) | Coût | Coût ({currency}) | Coste | Costo
-- required: cost = Coste ({currency}) | Costo ({currency}) | Custo | Custo ({currency}) | Koszt | Koszt ({currency})
-- required: cost = Kostnad | Kostnad ({currency}) | Omkostninger | Pris | Kustannukset | Hinta | Cena | Náklady | Költség
-- required: cost = Maliyet | Maliyet ({currency}) | Расходы | Стоимость | Витрати | Вартість | Κόστος | 費用
-- required: cost = コスト | 费用 | 비용 | Chi phí | Biaya | ค่าใช้จ่าย
-- A report of another vendor can have a day, a campaign and a cost. A column of Google tells them apart.
-- required: mark = Impr. | Impressions | Currency code | Campaign ID | Customer ID | Conv. value | Campaign status
-- required: mark = Interactions | Avg. CPC | Budget type | Campaign type
-- required: mark = Impressionen | Währungscode | Kampagnen-ID | Kundennummer | Kampagnenstatus | Interaktionen
-- required: mark = Code de devise | Code de la devise | Code devise | ID de campagne | ID de la campagne
-- required: mark = Código de moneda | Código de divisa | ID de campaña | ID de la campaña | Impresiones
-- required: mark = Codice valuta | ID campagna | Impressioni | Código da moeda | ID da campanha | Impressões
-- required: mark = Valutacode | Campagne-ID | Vert. | Vertoningen | Kod waluty | Identyfikator kampanii | Wyśw.
-- required: mark = Wyświetlenia | Valutakod | Kampanj-id | Exponeringar | Exp. | Visningar | Valutakode | Kampagne-id
-- required: mark = Eksponeringer | Eksp. | Visninger | Visn. | Valuuttakoodi | Näyttökerrat | Näyttök. | Kód měny | Zobr.
-- required: mark = Zobrazení | Pénznemkód | Megj. | Megjelenítések | Cod monedă | Codul monedei | Afiș. | Afișări
-- required: mark = Para birimi kodu | Göst. | Gösterim | Gösterimler | Код валюты | Код валюти | Показы | Покази
-- required: mark = Κωδικός νομίσματος | Εμφ. | Εμφανίσεις | 通貨コード | 表示回数 | 货币代码 | 展示次数 | 貨幣代碼 | 曝光
-- required: mark = 曝光次數 | 통화 코드 | 노출수 | Mã đơn vị tiền tệ | Lượt hiển thị | Kode mata uang | Tayangan
-- optional: account_id = Customer ID | External customer ID | Account ID | CID | Kundennummer | Kunden-ID | Konto-ID
-- optional: account_id = Numéro client | ID client | ID du client | ID de cliente | ID del cliente | ID cliente
-- optional: account_id = ID do cliente | Klant-ID | Identyfikator klienta | ID klienta | Kundnummer | Kund-id | Kunde-id
-- optional: account_id = Müşteri kimliği | Идентификатор клиента | お客様 ID | 客户 ID | 客戶編號 | 客戶 ID | 고객 ID
-- optional: currency = Currency code | Currency | Account currency | Währungscode | Währung | Code de devise
-- optional: currency = Code de la devise | Code devise | Devise | Código de moneda | Código de divisa | Moneda | Codice valuta
-- optional: currency = Valuta | Código da moeda | Moeda | Valutacode | Kod waluty | Waluta | Valutakod | Valutakode
-- optional: currency = Valuuttakoodi | Kód měny | Pénznemkód | Cod monedă | Codul monedei | Para birimi kodu
-- optional: currency = Код валюты | Код валюти | Κωδικός νομίσματος | 通貨コード | 货币代码 | 貨幣代碼 | 통화 코드
-- optional: currency = Mã đơn vị tiền tệ | Kode mata uang
-- optional: campaign_id = Campaign ID | Kampagnen-ID | ID de campagne | ID de la campagne | ID campagne | ID de campaña
-- optional: campaign_id = ID de la campaña | ID campagna | ID della campagna | ID da campanha | ID de campanha | Campagne-ID
-- optional: campaign_id = Identyfikator kampanii | ID kampanii | Kampanj-id | Kampagne-id | Kampanje-ID
-- optional: campaign_id = Kampanjan tunnus | ID kampaně | Kampányazonosító | ID campanie | Kampanya kimliği
-- optional: campaign_id = Идентификатор кампании | Ідентифікатор кампанії | キャンペーン ID | キャンペーンID | 广告系列 ID
-- optional: campaign_id = 廣告活動 ID | 廣告活動編號 | 캠페인 ID
-- optional: adset_id = Ad group ID | Anzeigengruppen-ID | ID du groupe d'annonces | ID de groupe d'annonces
-- optional: adset_id = ID del grupo de anuncios | ID de grupo de anuncios | ID gruppo di annunci | ID gruppo annunci
-- optional: adset_id = ID do grupo de anúncios | Advertentiegroep-ID | Identyfikator grupy reklam | Annonsgrupps-id
-- optional: adset_id = Annoncegruppe-id | Reklam grubu kimliği | Идентификатор группы объявлений | 広告グループ ID
-- optional: adset_id = 广告组 ID | 廣告群組 ID | 광고그룹 ID
-- optional: adset = Ad group | Anzeigengruppe | Groupe d'annonces | Grupo de anuncios | Gruppo di annunci | Gruppo annunci
-- optional: adset = Grupo de anúncios | Advertentiegroep | Grupa reklam | Annonsgrupp | Annoncegruppe | Annonsegruppe
-- optional: adset = Mainosryhmä | Reklamní sestava | Hirdetéscsoport | Grup de anunțuri | Reklam grubu
-- optional: adset = Группа объявлений | Група оголошень | 広告グループ | 广告组 | 廣告群組 | 광고그룹
-- optional: ad_id = Ad ID | Anzeigen-ID | ID de l'annonce | ID d'annonce | ID del anuncio | ID de anuncio
-- optional: ad_id = ID annuncio | ID dell'annuncio | ID do anúncio | Advertentie-ID | Identyfikator reklamy | Annons-id
-- optional: ad_id = Annonce-id | Reklam kimliği | Идентификатор объявления | 広告 ID | 广告 ID | 廣告 ID | 광고 ID
-- optional: ad = Ad name
-- optional: impressions = Impr. | Impressions | Impressionen | Impresiones | Impressioni | Impressões | Vert. | Vertoningen
-- optional: impressions = Wyśw. | Wyświetlenia | Exponeringar | Exp. | Visningar | Eksponeringer | Eksp. | Visninger | Visn.
-- optional: impressions = Näyttökerrat | Näyttök. | Zobr. | Zobrazení | Megj. | Megjelenítések | Afiș. | Afișări
-- optional: impressions = Göst. | Gösterim | Gösterimler | Показы | Покази | Εμφ. | Εμφανίσεις | 表示回数 | 展示次数
-- optional: impressions = 曝光 | 曝光次數 | 노출수 | Lượt hiển thị | Tayangan
-- optional: clicks = Clicks | Klicks | Clics | Clic | Cliques | Klikken | Kliknięcia | Klick | Klik | Klikk | Klikkaukset
-- optional: clicks = Kliknutí | Prokliky | Kattintások | Clicuri | Tıklamalar | Tıklama sayısı | Клики | Кліки | Κλικ
-- optional: clicks = クリック数 | 点击次数 | 點擊 | 點擊次數 | 클릭수 | Lượt nhấp
-- optional: conversions = Conversions | Conv. | Conversiones | Conversioni | Conversões | Conversies | Konwersje
-- optional: conversions = Konverteringar | Konverteringer | Konversiot | Konverze | Konverziók | Conversii | Dönüşümler
-- optional: conversions = Конверсии | Конверсії | コンバージョン | コンバージョン数 | 转化次数 | 转化 | 轉換 | 전환 | 전환수
-- optional: value = Conv. value | Total conv. value | Conversion value | Conv.-Wert | Conversion-Wert | Valeur de conv.
-- optional: value = Valeur conv. | Valeur de conversion | Valor de conv. | Valor de conversión | Valor conv. | Valore conv.
-- optional: value = Valore di conv. | Valore di conversione | Valor da conv. | Valor de conversão | Conv.waarde
-- optional: value = Conversiewaarde | Wartość konw. | Wartość konwersji | Konv.värde | Konverteringsvärde | Konv.værdi
-- optional: value = Konverteringsværdi | Dönş. değeri | Dönüşüm değeri | Ценность конв. | Ценность конверсии
-- optional: value = コンバージョン値 | 转化价值 | 轉換價值 | 전환 가치
-- optional: views = TrueView views | Views | Video views
-- give: account_id, currency
select
    _row,
    day as date,
    'google' as platform,
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
    conversions as platform_conversions,
    value as platform_value,
    views as video_views
from source

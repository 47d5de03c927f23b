-- Meta Ads Manager: a table or report of campaigns, ad sets or ads by day.
-- source: https://www.facebook.com/business/help/2029155147316730
-- source: https://www.facebook.com/business/help/264160060861852
-- export: Campaigns, Breakdown, Time, Day; then Reports, Export table data, .csv. Add the columns Campaign ID and Account ID.
-- kind: spend
-- required: date = Day | Tag | Jour | Día | Giorno | Dia | Dag | Dzień | Päivä | Den | Nap | Ziua | Gün | День | 日 | 天 | 单日
-- required: date = 일 | Ngày | Hari | Reporting starts | Reporting Starts Date | Auswertungsbeginn | Berichtsstart
-- required: date = Beginn des Berichts | Berichtsbeginn | Beginn der Auswertung | Début des rapports | Début du rapport
-- required: date = Inicio del informe | Inicio de los informes | Inicio del reporte | Inizio dei report | Inizio del report
-- required: date = Inizio report | Inizio della segnalazione | Início dos relatórios | Início do relatório
-- required: date = Início da geração de relatórios | Start rapportage | Begin rapportage | Rapportage begint
-- required: date = Begin van rapportage | Begin van rapport | Początek raportu | Początek raportowania
-- required: date = Rozpoczęcie raportowania | Rapportstart | Rapporteringen startar | Rapportering startar
-- required: date = Rapporteringsstart | Rapportering starter | Rapporten starter | Rapor Başlangıcı | Raporlama başlangıcı
-- required: date = Начало отчетности | Дата начала отчетности | Дата начала отчета | レポート開始日 | 报告开始日期
-- required: date = 分析報告開始 | 報告開始日期 | 보고 시작 | Bắt đầu báo cáo | Awal pelaporan
-- required: campaign = Campaign name | Kampagnenname | Name der Kampagne | Nom de la campagne | Nombre de la campaña
-- required: campaign = Nome della campagna | Nome campagna | Nome da campanha | Campagnenaam | Naam campagne
-- required: campaign = Nazwa kampanii | Kampanjnamn | Kampagnenavn | Kampagnens navn | Kampanjenavn | Kampanjan nimi
-- required: campaign = Název kampaně | Kampány neve | Numele campaniei | Nume campanie | Kampanya Adı
-- required: campaign = Название кампании | Назва кампанії | キャンペーン名 | キャンペーンの名前 | 广告系列名称
-- required: campaign = 营销活动名称 | 行銷活動名稱 | 캠페인 이름 | Tên chiến dịch | Nama kampanye
-- required: campaign = Campaign ID | Kampagnen-ID | キャンペーンID | キャンペーン ID
-- required: spend = Amount spent | Amount spent ({currency}) | Ausgegebener Betrag | Ausgegebener Betrag ({currency})
-- required: spend = Montant dépensé | Montant dépensé ({currency}) | Importe gastado | Importe gastado ({currency})
-- required: spend = Monto gastado | Monto gastado ({currency}) | Cantidad gastada | Cantidad gastada ({currency})
-- required: spend = Importo speso | Importo speso ({currency}) | Valor usado | Valor usado ({currency}) | Valor gasto
-- required: spend = Valor gasto ({currency}) | Montante gasto | Montante gasto ({currency}) | Quantia gasta
-- required: spend = Quantia gasta ({currency}) | Besteed bedrag | Besteed bedrag ({currency}) | Uitgegeven bedrag
-- required: spend = Uitgegeven bedrag ({currency}) | Wydana kwota | Wydana kwota ({currency}) | Spenderat belopp
-- required: spend = Spenderat belopp ({currency}) | Utgift | Utgift ({currency}) | Brugt beløb | Brugt beløb ({currency})
-- required: spend = Forbrugt beløb | Forbrugt beløb ({currency}) | Beløb brugt | Beløb brugt ({currency}) | Beløp brukt
-- required: spend = Beløp brukt ({currency}) | Brukt beløp | Brukt beløp ({currency}) | Käytetty summa
-- required: spend = Käytetty summa ({currency}) | Utracená částka | Utracená částka ({currency}) | Elköltött összeg
-- required: spend = Elköltött összeg ({currency}) | Suma cheltuită | Suma cheltuită ({currency}) | Harcanan Tutar
-- required: spend = Harcanan Tutar ({currency}) | Сумма затрат | Сумма затрат ({currency}) | Потраченная сумма
-- required: spend = Потраченная сумма ({currency}) | 消化金額 | 消化金額 ({currency}) | 消化金額({currency})
-- required: spend = 已花费金额 | 已花费金额 ({currency}) | 花费金额 | 花费金额 ({currency}) | 花費金額
-- required: spend = 花費金額 ({currency}) | 已花費金額 | 已花費金額 ({currency}) | 지출 금액 | 지출 금액 ({currency})
-- required: spend = Số tiền đã chi tiêu | Số tiền đã chi tiêu ({currency}) | Jumlah yang dibelanjakan
-- required: spend = Jumlah yang dibelanjakan ({currency})
-- optional: day = Day | Tag | Jour | Día | Giorno | Dia | Dag | Dzień | Päivä | Den | Nap | Ziua | Gün | День | 日 | 天 | 单日
-- optional: day = 일 | Ngày | Hari
-- optional: ends = Reporting ends | Reporting Ends Date | Auswertungsende | Berichtsende | Ende des Berichts
-- optional: ends = Ende der Auswertung | Fin des rapports | Fin du rapport | Fin del informe | Fin de los informes
-- optional: ends = Fin del reporte | Finalización del informe | Fine dei report | Fine del report | Fine report
-- optional: ends = Fine della segnalazione | Término dos relatórios | Encerramento dos relatórios | Término do relatório
-- optional: ends = Fim dos relatórios | Fim da geração de relatórios | Einde rapportage | Rapportage eindigt
-- optional: ends = Einde van rapportage | Einde van rapport | Koniec raportu | Koniec raportowania
-- optional: ends = Zakończenie raportowania | Rapportslut | Rapporteringen slutar | Rapportering slutar
-- optional: ends = Rapporteringsslut | Rapportering slutter | Rapporten slutter | Rapporteringsslutt | Rapor Sonu
-- optional: ends = Raporlama bitişi | Raporlama sonu | Окончание отчетности | Дата окончания отчетности
-- optional: ends = Дата окончания отчета | レポート終了日 | 报告结束日期 | 分析報告結束 | 報告結束日期 | 보고 종료
-- optional: ends = Kết thúc báo cáo | Akhir pelaporan
-- optional: account_id = Account ID | Ad account ID | Konto-ID | Werbekonto-ID | ID du compte | Identifiant du compte
-- optional: account_id = Numéro de compte | Identificador de la cuenta | ID de la cuenta | ID account | ID dell'account
-- optional: account_id = Identificação da conta | ID da conta | Account-ID | Identyfikator konta
-- optional: account_id = Hesap no | Hesap Kimliği | Идентификатор аккаунта | アカウントID | 帐户编号 | 帳號編號 | 계정 ID
-- optional: currency = Currency | Währung | Devise | Divisa | Moneda | Valuta | Moeda | Waluta | Valuutta | Měna
-- optional: currency = Para Birimi | Валюта | 通貨 | 币种 | 货币 | 貨幣 | 幣別 | 통화
-- optional: campaign_id = Campaign ID | Kampagnen-ID | ID de la campagne | ID de campagne | Identifiant de la campagne
-- optional: campaign_id = Numéro de campagne | Numéro de la campagne | Nº de la campagne | Identificador de la campaña
-- optional: campaign_id = Identificador de campaña | ID de la campaña | ID de campaña | ID campagna | ID della campagna
-- optional: campaign_id = Identificação da campanha | ID da campanha | Campagne-ID | Identyfikator kampanii
-- optional: campaign_id = Kampanj-id | Kampagne-id | Kampanje-ID | Kampanya no | Kampanya Kimliği
-- optional: campaign_id = Идентификатор кампании | ID кампании | キャンペーンID | キャンペーン ID | 广告系列编号
-- optional: campaign_id = 行銷活動編號 | 캠페인 ID
-- optional: adset_id = Ad set ID | Anzeigengruppen-ID | ID de l'ensemble de publicités
-- optional: adset_id = Identifiant de l'ensemble de publicités | Numéro de l'ensemble de publicités
-- optional: adset_id = Nº de l'ensemble de publicités | Identificador del conjunto de anuncios
-- optional: adset_id = ID del conjunto de anuncios | ID gruppo di inserzioni | ID del gruppo di inserzioni
-- optional: adset_id = Identificação do conjunto de anúncios | ID do conjunto de anúncios | Advertentieset-ID
-- optional: adset_id = Identyfikator zestawu reklam | Annonsgrupps-id | Annonsuppsättnings-id | Annoncesæt-id
-- optional: adset_id = Annonsesett-ID | Reklam Seti no | Reklam Seti Kimliği | Идентификатор группы объявлений
-- optional: adset_id = 広告セットID | 広告セット ID | 广告组编号 | 廣告組合編號 | 광고 세트 ID
-- optional: adset = Ad set name | Anzeigengruppenname | Name der Anzeigengruppe | Nom de l'ensemble de publicités
-- optional: adset = Nom de l'ensemble de publicité | Nombre del conjunto de anuncios | Nome del gruppo di inserzioni
-- optional: adset = Nome do conjunto de anúncios | Naam advertentieset | Advertentiesetnaam | Naam van advertentieset
-- optional: adset = Nazwa zestawu reklam | Annonsgruppens namn | Namn på annonsgrupp | Annonsuppsättningens namn
-- optional: adset = Annoncesættets navn | Navn på annoncesæt | Annoncesætnavn | Annonsesettnavn | Navn på annonsesett
-- optional: adset = Mainosjoukon nimi | Název sady reklam | Hirdetéssorozat neve | Numele setului de reclame | Reklam seti adı
-- optional: adset = Название группы объявлений | 広告セット名 | 広告セットの名前 | 广告组名称 | 廣告組合名稱 | 광고 세트 이름
-- optional: ad_id = Ad ID | Anzeigen-ID | Werbeanzeigen-ID | ID de la publicité | Identifiant de la publicité
-- optional: ad_id = Numéro de la publicité | Nº de la publicité | Identificador del anuncio | ID del anuncio
-- optional: ad_id = ID inserzione | ID dell'inserzione | Identificação do anúncio | ID do anúncio | Advertentie-ID
-- optional: ad_id = Identyfikator reklamy | Annons-id | Annonce-id | Annonse-ID | Reklam no | Reklam Kimliği
-- optional: ad_id = Идентификатор объявления | 広告ID | 広告 ID | 广告编号 | 廣告編號 | 광고 ID
-- optional: ad = Ad name | Anzeigenname | Name der Anzeige | Name der Werbeanzeige | Nom de la publicité
-- optional: ad = Nombre del anuncio | Nome dell'inserzione | Nome inserzione | Nome do anúncio | Naam advertentie
-- optional: ad = Advertentienaam | Naam van advertentie | Nazwa reklamy | Annonsens namn | Annonsnamn | Annoncenavn
-- optional: ad = Annoncens navn | Annonsenavn | Mainoksen nimi | Název reklamy | Hirdetés neve | Numele reclamei
-- optional: ad = Reklam Adı | Название объявления | 広告名 | 広告の名前 | 广告名称 | 廣告名稱 | 광고 이름
-- optional: impressions = Impressions | Impressionen | Impresiones | Impression | Impressioni | Impressões | Vertoningen
-- optional: impressions = Weergaven | Wyświetlenia | Exponeringar | Visningar | Visninger | Eksponeringer | Näyttökerrat
-- optional: impressions = Zobrazení | Megjelenítések | Afișări | Gösterim | Gösterimler | Показы | インプレッション
-- optional: impressions = インプレッション数 | 展示次数 | 曝光次數 | 노출 | Lượt hiển thị | Impresi
-- optional: clicks = Clicks (all) | Klicks (alle) | Clics (tous) | Clics (todos) | Clic (tutti) | Cliques (todos)
-- optional: clicks = Cliques (tudo) | Klikken (alle) | Kliks (alle) | Kliknięcia (wszystkie) | Klick (alla) | Klik (alle)
-- optional: clicks = Klikk (alle) | Klikkaukset (kaikki) | Kliknutí (všechna) | Kattintások (összes) | Clicuri (toate)
-- optional: clicks = Tıklamalar (Tümü) | Клики (все) | クリック(すべて) | クリック数(すべて) | クリック (すべて)
-- optional: clicks = 点击量(全部) | 点击量 (全部) | 點擊次數(全部) | 點擊次數 (全部) | 클릭(전체) | 클릭 (전체)
-- optional: purchases = Purchases | Website purchases | Käufe | Website-Käufe | Achats | Achats sur le site web | Compras
-- optional: purchases = Compras en el sitio web | Acquisti | Acquisti sul sito web | Compras no site | Aankopen
-- optional: purchases = Websiteaankopen | Zakupy | Zakupy w witrynie | Köp | Köp på webbplats | Køb | Kjøp | Ostot
-- optional: purchases = Alışverişler | Satın almalar | Покупки | 購入 | 购物 | 购买 | 購買 | 購買次數 | 구매
-- optional: value = Purchases conversion value | Purchase conversion value | Website purchases conversion value
-- optional: value = Website purchase conversion value | Conversion-Wert von Käufen | Conversion-Wert für Käufe
-- optional: value = Conversion-Wert der Käufe | Kauf-Conversion-Wert | Valeur de conversion des achats
-- optional: value = Valeur de conversion d'achat | Valor de conversión de compras | Valor de conversión de las compras
-- optional: value = Valor de conversión de compra | Valore di conversione degli acquisti | Valore di conversione dell'acquisto
-- optional: value = Valor de conversão da compra | Valor de conversão de compras | Valor de conversão das compras
-- optional: value = Conversiewaarde van aankopen | Conversiewaarde aankopen | Wartość konwersji zakupów
-- optional: value = Wartość konwersji zakupu | Köpens konverteringsvärde | Konverteringsvärde för köp | Konverteringsværdi for køb
-- optional: value = Alışveriş dönüşüm değeri | Ценность конверсии покупок | 購入コンバージョン値 | 購入のコンバージョン値
-- optional: value = 购物转化价值 | 購買轉換值 | 구매 전환값
-- optional: views = 3-second video plays | Video plays of 3 seconds | 3-Sekunden-Videowiedergaben
-- give: account_id, currency
-- Clicks are all clicks, as in pulls. Link clicks are another figure.
-- The row of totals has no names. Without a date it counts as a summary row, whichever days it covers.
with named as (
    select *, coalesce(campaign_id, campaign, adset_id, adset, ad_id, ad) is not null as has_name
    from source
)
select
    _row,
    if(has_name, date, null) as date,
    -- With a day column, the report's period can be that of the whole file.
    if(has_name and day is null, ends, null) as end_date,
    'meta' as platform,
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
from named

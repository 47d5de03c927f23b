-- HubSpot: deals, as an export of records.
-- source: https://knowledge.hubspot.com/import-and-export/export-records
-- source: https://knowledge.hubspot.com/properties/hubspots-default-deal-properties
-- export: CRM, Deals, Export, with associations; at least Record ID, Deal Name, Deal Stage, Close Date, Amount, Currency and Associated Contact.
-- kind: conversions
-- required: record_id = Record ID | Record ID - Deal | Deal ID | hs_object_id | Datensatz-ID | ID de fiche d'informations | ID d'enregistrement | ID de l'enregistrement | ID de registro | ID del registro | ID do registro | ID record | Record-ID | レコードID
-- required: name = Deal Name | dealname | Deal-Name | Name des Deals | Nom de la transaction | Nombre del negocio | Nombre de negocio | Nome do negócio | Nome dell'affare | Nome trattativa | Nome deal | Dealnaam | 取引名
-- required: stage = Deal Stage | dealstage | Deal-Phase | Deal Phase | Phase de la transaction | Étape de la transaction | Etapa del negocio | Etapa de negocio | Etapa do negócio | Fase do negócio | Fase dell'affare | Fase trattativa | Fase deal | Dealfase | 取引ステージ
-- required: closed = Close Date | closedate | Abschlussdatum | Schlussdatum | Date de fermeture | Date de clôture | Fecha de cierre | Data de fechamento | Data di chiusura | Sluitingsdatum | Afsluitdatum | クローズ日
-- optional: amount = Amount | Deal Amount | Betrag | Montant | Valor | Importe | Cantidad | Monto | Importo | Bedrag | 金額
-- optional: home_amount = Amount in company currency | amount_in_home_currency | Betrag in Unternehmenswährung
-- optional: currency = Currency | Deal Currency | deal_currency_code | Deal Currency Code | Währung | Devise | Moneda | Divisa | Moeda | Valuta | 通貨
-- optional: contacts = Associated Contact IDs | Associated Contact IDs (Primary) | Associated Contacts IDs | Associated Contact ID | Associated vids | Zugeordnete Kontakt-IDs | IDs de contacts associés | IDs de contactos asociados | IDs de contato associados
-- optional: is_won = Is Closed Won | Is closed won? | hs_is_closed_won | Ist abgeschlossen und gewonnen
-- optional: probability = Deal probability | Deal Probability | hs_deal_stage_probability
-- optional: pipeline = Pipeline
--
-- A deal that is won is a `deal_won` at its close date, and other deals are skipped. HubSpot states it in `Is Closed Won`, else
-- in a probability of 1, else the name of the stage does. The company's currency is in no column: an amount in it has that of the
-- org, or of --set currency=CODE. Its first contact joins it to the contact's visits.
-- Times have no zone: HubSpot writes them in that of the user who exports.
with deals as (
    select
        *,
        regexp_extract(contacts, '\d+') as contact_id,
        coalesce(
            case lower(is_won) when 'true' then true when 'yes' then true when '1' then true when 'ja' then true
                when 'false' then false when 'no' then false when '0' then false when 'nein' then false end,
            try_cast(replace(rtrim(probability, '% '), ',', '.') as double) = if(contains(probability, '%'), 100, 1),
            regexp_matches(
                lower(stage),
                '\bwon\b|closedwon|gewonnen|gagn|ganad|\bganh|vinto|vinta|成約|受注'
            ) and not regexp_matches(lower(stage), '\b(not|nicht|non|no|não|niet)\b')
        ) as is_won_deal
    from source
)

select
    _row,
    closed as occurred_at,
    'hubspot:' || nullif(contact_id, '') as visitor_id,
    'hubspot:deal:' || record_id as conversion_id,
    'deal_won' as conversion_type,
    coalesce(amount, home_amount) as value,
    if(amount is null, null, currency) as currency,
    'hubspot:deal:' || record_id as order_id,
    pipeline
from deals
where is_won_deal

-- Salesforce: opportunities, as a report or as the Data Loader exports them.
-- source: https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm
-- source: https://help.salesforce.com/s/articleView?id=sf.reports_export.htm
-- export: a report of opportunities with Opportunity ID, Stage, Close Date, Amount and the contact's email: Export, Details Only, .csv; or Data Loader, Export, Opportunity.
-- kind: conversions
-- required: name = Opportunity Name | Name | Opportunity: Opportunity Name | Opportunity | Opportunity-Name | Opportunityname | Nom de l'opportunité | Nombre de la oportunidad | Nombre de oportunidad | Nome da oportunidade | Nome opportunità | Naam opportunity | 商談名
-- required: stage = Stage | StageName | Stage Name | Phase | Étape | Etapa | Fase | Fase (stage) | フェーズ
-- required: closed = Close Date | CloseDate | Schlusstermin | Abschlussdatum | Date de clôture | Fecha de cierre | Data de fechamento | Data chiusura | Data di chiusura | Sluitingsdatum | 完了予定日
-- required: amount = Amount (converted) | Betrag (umgerechnet) | Amount | Betrag | Montant | Importe | Monto | Valor | Quantia | Importo | Bedrag | 金額
-- optional: plain_amount = Amount | Betrag | Montant | Importe | Monto | Valor | Quantia | Importo | Bedrag | 金額
-- optional: converted_currency = Amount (converted) Currency | Betrag (umgerechnet) Währung
-- optional: currency = Amount Currency | Opportunity Currency | CurrencyIsoCode | Currency | Betrag Währung | Opportunity-Währung | Währung | Devise | Moneda | Divisa | Moeda | Valuta
-- optional: id = Opportunity ID | Opportunity Id | Id | Opportunity-ID | ID de l'opportunité | ID de la oportunidad | ID de oportunidad | ID da oportunidade | 商談 ID
-- optional: account = Account Name | AccountId | Account ID | Accountname | Nom du compte | Nombre de la cuenta | Nome da conta
-- optional: contact_id = Contact ID | ContactId | Primary Contact ID | Contact: Contact ID
-- optional: email = Contact: Email | Primary Contact: Email | Contact Email | Primary Contact Email | Email | E-Mail | Kontakt: E-Mail
-- optional: is_won = Won | IsWon | Is Won | Gewonnen
-- optional: is_deleted = IsDeleted | Deleted
-- footer: ^\s*("[^"]*"|[^",;\t]*)\s*$
--
-- An opportunity that is won is a `deal_won` at its close date, and others are skipped. Salesforce states it in `Won`, else the
-- name of the stage does. The email of its contact joins it to web visits and to the lead.
-- An amount that Salesforce converted has the currency of its own column, else that of the org, and not the opportunity's.
-- Dates have no zone: they are those of the user's locale.
with opportunities as (
    select
        *,
        coalesce('salesforce:opportunity:' || left(id, 15), 'salesforce:opportunity:' || concat_ws('/', account, name)) as order_id,
        coalesce(
            case lower(is_won) when 'true' then true when '1' then true when 'yes' then true
                when 'false' then false when '0' then false when 'no' then false end,
            regexp_matches(lower(stage), '\bwon\b|gewonnen|gagn|ganad|\bganh|chiusa vinta|vinto|vinta|成立')
        ) as is_won_opportunity
    from source
    where lower(coalesce(is_deleted, 'false')) not in ('true', '1')
)

select
    _row,
    closed as occurred_at,
    'salesforce:' || left(contact_id, 15) as visitor_id,
    'email:' || case when regexp_matches(email, '^[0-9a-f]{64}$') then email end as customer_id,
    order_id as conversion_id,
    'deal_won' as conversion_type,
    coalesce(plain_amount, amount) as value,
    if(plain_amount is null, converted_currency, currency) as currency,
    order_id
from opportunities
where is_won_opportunity

-- Salesforce: leads, as a report or as the Data Loader exports them.
-- source: https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_lead.htm
-- source: https://help.salesforce.com/s/articleView?id=sf.reports_export.htm
-- export: a report of leads with Lead ID, Email, Created Date, Lead Source: Export, Details Only, .csv; or Data Loader, Export, Lead.
-- kind: conversions
-- on_request: interactions
-- required: created = Created Date | CreatedDate | Create Date | Erstelldatum | Erstellungsdatum | Date de création | Fecha de creación | Data de criação | Data creazione | Data di creazione | Aanmaakdatum | 作成日
-- required: lead_source = Lead Source | LeadSource | Lead-Quelle | Leadquelle | Origine de la piste | Origine du prospect | Source de la piste | Origen del candidato | Origen del prospecto | Origem do lead | Fonte del lead | Origine lead | Leadbron | リードソース
-- required: email = Email | Email Address | E-Mail | E-mail | Adresse e-mail | Correo electrónico | メール
-- required: company = Company / Account | Company | Company Name | Firma / Account | Firma | Société / Compte | Société | Compañía / Cuenta | Compañía | Empresa / Conta | Empresa | Società / Account | Società | Bedrijf / Account | Bedrijf | 会社名 | Lead Owner | Lead Status | IsConverted
-- optional: id = Lead ID | Lead Id | Id | Lead-ID | ID de la piste | ID de candidato | ID do lead | リード ID
-- optional: is_deleted = IsDeleted | Deleted
-- optional: utm_source = UTM Source | utm_source | utm_source__c | UTMSource__c
-- optional: utm_medium = UTM Medium | utm_medium | utm_medium__c | UTMMedium__c
-- optional: utm_campaign = UTM Campaign | utm_campaign | utm_campaign__c | UTMCampaign__c
-- optional: utm_content = UTM Content | utm_content | utm_content__c | UTMContent__c
-- optional: utm_term = UTM Term | utm_term | utm_term__c | UTMTerm__c
-- footer: ^\s*("[^"]*"|[^",;\t]*)\s*$
--
-- A lead is a `lead` at its creation. Its address joins it to web visits. An id of 18 characters begins with that of 15.
-- The Data Loader writes times in UTC, a report in the zone and the locale of the user, and often without a time.
-- The lead source is a second report of a visit or call. So it is no touch, unless the user asks for it: who has no web events
-- runs `tributary import interactions FILE`. Then it is one touch at the creation.
with leads as (
    select
        *,
        'salesforce:' || left(id, 15) as visitor_id,
        'email:' || case when regexp_matches(email, '^[0-9a-f]{64}$') then email end as customer_id
    from source
    where created is not null and lower(coalesce(is_deleted, 'false')) not in ('true', '1')
)

select
    _row,
    'conversions' as _kind,
    created as occurred_at,
    visitor_id,
    customer_id,
    'salesforce:lead:' || left(id, 15) as conversion_id,
    'lead' as conversion_type,
    lead_source,
    null as interaction_id,
    null as source,
    null as medium,
    null as campaign,
    null as content,
    null as term
from leads

union all

select
    _row,
    'interactions' as _kind,
    created as occurred_at,
    visitor_id,
    customer_id,
    null as conversion_id,
    null as conversion_type,
    null as lead_source,
    'salesforce:source:' || left(id, 15) as interaction_id,
    coalesce(utm_source, lead_source) as source,
    utm_medium as medium,
    utm_campaign as campaign,
    utm_content as content,
    utm_term as term
from leads
where coalesce(utm_source, lead_source) is not null

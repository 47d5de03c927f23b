-- HubSpot: contacts, as an export of records.
-- source: https://knowledge.hubspot.com/import-and-export/export-records
-- source: https://knowledge.hubspot.com/properties/hubspots-default-contact-properties
-- source: https://knowledge.hubspot.com/properties/understand-source-properties
-- export: CRM, Contacts, Export; all properties, or at least Record ID, Email and Create Date.
-- kind: conversions
-- on_request: interactions
-- required: record_id = Record ID | Record ID - Contact | Contact ID | hs_object_id | Datensatz-ID | ID de fiche d'informations | ID d'enregistrement | ID de l'enregistrement | ID de registro | ID del registro | ID do registro | ID record | Record-ID | Post-ID | レコードID
-- required: email = Email | Email Address | E-Mail | E-Mail-Adresse | E-mail | Adresse e-mail | Correo | Correo electrónico | Endereço de e-mail | E-mailadres | E-post | Eメール
-- required: created = Create Date | Created Date | Create Date - Contact | createdate | Erstellungsdatum | Erstelldatum | Erstellt am | Date de création | Fecha de creación | Data de criação | Data di creazione | Data creazione | Aanmaakdatum | Datum van aanmaak | Skapandedatum | 作成日
-- optional: source = Original Source | Original Traffic Source | hs_analytics_source | Original Source Type | Ursprüngliche Quelle | Ursprüngliche Traffic-Quelle | Ursprünglicher Quelltyp | Source d'origine | Source de trafic d'origine | Fuente original | Fuente de tráfico original | Fonte original | Fonte original de tráfego | Fonte originale | Oorspronkelijke bron | オリジナルソース
-- optional: drill_down_1 = Original Source Drill-Down 1 | Original Traffic Source Drill-Down 1 | Original Source Data 1 | hs_analytics_source_data_1 | Ursprüngliche Quelle Drill-down 1 | Ursprüngliche Quelle - Drill-down 1 | Source d'origine - Détail 1 | Desglose de fuente original 1 | Detalhamento da fonte original 1
-- optional: drill_down_2 = Original Source Drill-Down 2 | Original Traffic Source Drill-Down 2 | Original Source Data 2 | hs_analytics_source_data_2 | Ursprüngliche Quelle Drill-down 2 | Ursprüngliche Quelle - Drill-down 2 | Source d'origine - Détail 2 | Desglose de fuente original 2 | Detalhamento da fonte original 2
-- optional: first_seen = Time First Seen | Time of First Session | Time of First Visit | hs_analytics_first_timestamp | hs_analytics_first_visit_timestamp
--
-- A contact is a `lead` at its creation. Its address joins it to web visits, and its record id (as a visitor) to deals.
-- Times have no zone: HubSpot writes them in that of the user who exports.
-- The original source is a second report of a web visit. So it is no touch, unless the user asks for it: who has no web events
-- runs `tributary import interactions FILE`. Then it is one touch, at the first visit or else at the creation. `Offline Sources`
-- are records that an import, an integration or a person created, and never a touch.
with contacts as (
    select
        *,
        'hubspot:' || record_id as visitor_id,
        'email:' || case when regexp_matches(email, '^[0-9a-f]{64}$') then email end as customer_id,
        regexp_replace(upper(source), '[^A-Z]+', '_', 'g') as source_type
    from source
    where record_id is not null
)

select
    _row,
    'conversions' as _kind,
    created as occurred_at,
    visitor_id,
    customer_id,
    'hubspot:contact:' || record_id as conversion_id,
    'lead' as conversion_type,
    source as original_source,
    drill_down_1 as original_source_1,
    drill_down_2 as original_source_2,
    null as interaction_id,
    null as touch_type,
    null as channel,
    null as source,
    null as campaign,
    null as term
from contacts

union all

select
    _row,
    'interactions' as _kind,
    coalesce(first_seen, created) as occurred_at,
    visitor_id,
    customer_id,
    null as conversion_id,
    null as conversion_type,
    null as original_source,
    null as original_source_1,
    null as original_source_2,
    'hubspot:source:' || record_id as interaction_id,
    if(source_type in ('PAID_SEARCH', 'PAID_SOCIAL'), 'click', 'visit') as touch_type,
    case source_type
        when 'EMAIL_MARKETING' then 'Email'
        when 'SOCIAL_MEDIA' then 'Organic Social'
        when 'REFERRALS' then 'Referral'
        when 'DIRECT_TRAFFIC' then 'Direct'
        when 'AI_REFERRALS' then 'AI Assistant'
        when 'OTHER_CAMPAIGNS' then null
        else replace(source, '_', ' ')
    end as channel,
    case
        when source_type = 'ORGANIC_SEARCH' then drill_down_2
        when source_type in ('SOCIAL_MEDIA', 'ORGANIC_SOCIAL', 'PAID_SOCIAL', 'REFERRALS', 'AI_REFERRALS') then drill_down_1
    end as source,
    case
        when source_type in ('PAID_SEARCH', 'EMAIL_MARKETING', 'OTHER_CAMPAIGNS') then drill_down_1
        when source_type in ('SOCIAL_MEDIA', 'ORGANIC_SOCIAL', 'PAID_SOCIAL') then drill_down_2
    end as campaign,
    case source_type when 'PAID_SEARCH' then drill_down_2 end as term
from contacts
where source is not null and source_type not in ('OFFLINE', 'OFFLINE_SOURCES', 'OFFLINE_QUELLEN', 'OFFLINE_BRONNEN')

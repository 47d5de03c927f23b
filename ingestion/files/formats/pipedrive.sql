-- Pipedrive: deals, as an export of a list or of all data.
-- source: https://support.pipedrive.com/en/article/exporting-data-from-pipedrive
-- source: https://developers.pipedrive.com/docs/api/v1/Deals
-- export: Deals, list view, ..., Export filter results, .csv or .xlsx; with ID, Status, Value, Currency, Won time and Person - Email.
-- kind: conversions
-- required: value = Deal - Value | Value | Deal - Wert | Wert | Trato - Valor | Negocio - Valor | Negócio - Valor | Valor | Affaire - Valeur | Valeur | Transaction - Valeur | Affare - Valore | Trattativa - Valore | Deal - Waarde | Obchod - Hodnota | Hodnota
-- required: currency = Deal - Currency of Value | Deal - Currency | Currency of Value | Deal - Währung von Wert | Deal - Währung | Währung von Wert | Trato - Moneda de Valor | Trato - Moneda | Negocio - Moneda de Valor | Negócio - Moeda de Valor | Negócio - Moeda | Affaire - Devise de Valeur | Affaire - Devise | Affare - Valuta di Valore | Affare - Valuta | Deal - Valuta van Waarde | Deal - Valuta | Obchod - Měna hodnoty | Obchod - Měna
-- required: status = Deal - Status | Status | Trato - Estado | Negocio - Estado | Estado | Negócio - Status | Affaire - Statut | Statut | Transaction - Statut | Affare - Stato | Trattativa - Stato | Stato | Obchod - Stav | Stav
-- optional: id = Deal - ID | Deal - Pipedrive System ID | Deal - System ID | ID | Trato - ID | Negocio - ID | Negócio - ID | Affaire - ID | Transaction - ID | Affare - ID | Trattativa - ID | Obchod - ID
-- optional: title = Deal - Title | Title | Deal - Titel | Titel | Trato - Título | Negócio - Título | Affaire - Titre | Affare - Titolo | Obchod - Název
-- optional: won_time = Deal - Won time | Won time | Deal - Gewonnen am | Deal - Gewinnzeit | Deal - Zeitpunkt des Gewinns | Trato - Hora de ganado | Trato - Ganado el | Negócio - Hora do ganho | Negócio - Data de ganho | Affaire - Date de gain | Affaire - Gagnée le | Affare - Ora vinta | Deal - Gewonnen op | Obchod - Datum výhry | Obchod - Čas výhry
-- optional: closed = Deal - Closed on | Deal - Deal closed on | Deal - Close time | Deal closed on | Closed on | Deal - Abgeschlossen am | Deal - Deal abgeschlossen am | Obchod - Uzavřeno dne
-- optional: person_id = Person - ID | Deal - Contact person ID | Person - Pipedrive System ID | Contact person ID
-- optional: email_work = Person - Email - Work | Person - Email (Work) | Person - Email | Email | Person - E-Mail | Person - E-Mail - Arbeit | Persona - Correo electrónico | Personne - E-mail | Pessoa - E-mail | Osoba - E-mail | Deal - Contact person email
-- optional: email_home = Person - Email - Home | Person - Email (Home) | Person - E-Mail - Privat
-- optional: email_other = Person - Email - Other | Person - Email (Other) | Person - E-Mail - Sonstige
-- optional: pipeline = Deal - Pipeline | Pipeline
--
-- A deal that is won is a `deal_won` at the time it was won, and other deals are skipped. The address of its contact joins it to
-- web visits. Times have no zone: Pipedrive writes them in that of the user who exports.
with deals as (
    select
        *,
        coalesce('pipedrive:deal:' || id, 'pipedrive:deal:' || title) as deal_id,
        list_extract(list_filter(
            [email_work, email_home, email_other], lambda each: regexp_matches(coalesce(each, ''), '^[0-9a-f]{64}$')
        ), 1) as email
    from source
    where regexp_matches(lower(status), '^(won|gewonnen|ganado|ganada|ganho|ganha|gagné|gagnée|gagne|vinto|vinta|vyhráno|vyhraný|wygrana|wygrane)$')
)

select
    _row,
    coalesce(won_time, closed) as occurred_at,
    'pipedrive:' || person_id as visitor_id,
    'email:' || email as customer_id,
    deal_id as conversion_id,
    'deal_won' as conversion_type,
    "value",
    currency,
    deal_id as order_id,
    pipeline
from deals

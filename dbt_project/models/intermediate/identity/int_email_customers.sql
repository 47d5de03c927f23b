with

events as (
    select * from {{ ref('int_events') }}
),

conversions as (
    select * from {{ ref('stg_raw__conversions') }}
),

interactions as (
    select * from {{ ref('stg_raw__interactions') }}
),

shared_ids as (
    select * from {{ ref('int_shared_ids') }}
),

seen as (
    select org_id, email_hash, customer_id from events where email_hash is not null

    union all

    select org_id, email_hash, customer_id from conversions where email_hash is not null

    union all

    select org_id, email_hash, customer_id from interactions where email_hash is not null
),

-- A site with addresses as customer ids sends their hashes, because no address passes the collector or an import.
addresses_as_ids as (
    select distinct
        events.org_id,
        events.customer_id as email_hash,
        events.customer_id
    from events
    inner join (select distinct org_id, email_hash from seen) as addresses
        on events.org_id = addresses.org_id
        and events.customer_id = addresses.email_hash
),

seen_or_same as (
    select * from seen

    union all

    select * from addresses_as_ids
),

named as (
    select
        seen_or_same.org_id,
        seen_or_same.email_hash,
        {{ own_customer('seen_or_same') }} as customer_id
    from seen_or_same
    left join shared_ids as shared_emails
        on seen_or_same.org_id = shared_emails.org_id and seen_or_same.email_hash = shared_emails.id and shared_emails.kind = 'email'
    left join shared_ids
        on {{ shared_customer('seen_or_same') }}
    where shared_emails.id is null
),

by_address as (
    select
        org_id,
        email_hash,
        min(nullif(customer_id, email_hash)) as first_customer_id,
        max(nullif(customer_id, email_hash)) as last_customer_id,
        max(case when customer_id = email_hash then customer_id end) as address_as_id
    from named
    group by org_id, email_hash
),

final as (
    select
        org_id,
        email_hash,
        coalesce(
            case when first_customer_id = last_customer_id then first_customer_id end,
            case when first_customer_id is null then address_as_id end,
            'email:' || email_hash
        ) as customer_id,
        coalesce(first_customer_id = last_customer_id, address_as_id is not null) as is_known_customer
    from by_address
)

select * from final

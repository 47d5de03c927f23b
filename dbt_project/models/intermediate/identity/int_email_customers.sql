with

events as (
    select * from {{ ref('int_events') }}
),

conversions as (
    select * from {{ ref('stg_raw__conversions') }}
),

shared_ids as (
    select * from {{ ref('int_shared_ids') }}
),

seen as (
    select org_id, email_hash, customer_id from events where email_hash is not null

    union all

    select org_id, email_hash, customer_id from conversions where email_hash is not null
),

named as (
    select
        seen.org_id,
        seen.email_hash,
        case when shared_ids.id is null then seen.customer_id end as customer_id
    from seen
    left join shared_ids as shared_emails
        on seen.org_id = shared_emails.org_id and seen.email_hash = shared_emails.id and shared_emails.kind = 'email'
    left join shared_ids
        on {{ shared_customer('seen') }}
    where shared_emails.id is null
),

final as (
    select
        org_id,
        email_hash,
        case when min(customer_id) = max(customer_id) then min(customer_id) else 'email:' || email_hash end as customer_id,
        coalesce(min(customer_id) = max(customer_id), false) as is_known_customer
    from named
    group by org_id, email_hash
)

select * from final

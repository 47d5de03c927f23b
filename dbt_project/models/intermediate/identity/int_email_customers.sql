with

events as (
    select * from {{ ref('int_events') }}
),

conversions as (
    select * from {{ ref('stg_raw__conversions') }}
),

named as (
    select org_id, email_hash, customer_id from events where email_hash is not null

    union all

    select org_id, email_hash, customer_id from conversions where email_hash is not null
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

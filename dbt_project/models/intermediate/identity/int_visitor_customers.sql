with

events as (
    select * from {{ ref('int_events') }}
),

interactions as (
    select * from {{ ref('stg_raw__interactions') }}
),

conversions as (
    select * from {{ ref('stg_raw__conversions') }}
),

order_visitors as (
    select * from {{ ref('int_order_visitors') }}
),

email_customers as (
    select * from {{ ref('int_email_customers') }}
),

-- A shop names the customer of an order, and the checkout's event its visitor.
ordered as (
    select
        conversions.org_id,
        order_visitors.visitor_id,
        conversions.customer_id,
        conversions.email_hash,
        conversions.occurred_at,
    from conversions
    inner join order_visitors using (org_id, order_id)
    where conversions.visitor_id is null
),

seen_with_customer as (
    {%- for relation in ['events', 'interactions', 'conversions', 'ordered'] %}
    select org_id, visitor_id, customer_id, occurred_at
    from {{ relation }}
    where visitor_id is not null and customer_id is not null
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

seen_with_email as (
    {%- for relation in ['events', 'conversions', 'ordered'] %}
    select
        {{ relation }}.org_id,
        {{ relation }}.visitor_id,
        email_customers.customer_id,
        {{ relation }}.occurred_at,
        email_customers.is_known_customer,
    from {{ relation }}
    inner join email_customers using (org_id, email_hash)
    where {{ relation }}.visitor_id is not null and {{ relation }}.customer_id is null
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

known_visitors as (
    select org_id, visitor_id from seen_with_customer

    union

    select org_id, visitor_id from seen_with_email where is_known_customer
),

-- An address that is nobody's yet says who a visitor is only where nothing better does: it may be a second one of the same
-- person, who would be torn in two.
seen_together as (
    select org_id, visitor_id, customer_id, occurred_at from seen_with_customer

    union all

    select
        seen_with_email.org_id,
        seen_with_email.visitor_id,
        seen_with_email.customer_id,
        seen_with_email.occurred_at,
    from seen_with_email
    left join known_visitors using (org_id, visitor_id)
    where seen_with_email.is_known_customer or known_visitors.visitor_id is null
),

-- Most visitors are one customer, whose interval is open: only the shared ones need their history sorted.
visitors as (
    select
        org_id,
        visitor_id,
        min(customer_id) as first_customer_id,
        max(customer_id) as last_customer_id,
    from seen_together
    group by org_id, visitor_id
),

shared as (
    select distinct
        seen_together.org_id,
        seen_together.visitor_id,
        seen_together.customer_id,
        seen_together.occurred_at,
    from seen_together
    inner join visitors
        on seen_together.org_id = visitors.org_id
        and seen_together.visitor_id = visitors.visitor_id
        and visitors.first_customer_id <> visitors.last_customer_id
),

-- The last moment of each unbroken run of one customer on a visitor.
run_ends as (
    select * from (
        select
            *,
            lead(customer_id) over (
                partition by org_id, visitor_id order by occurred_at, customer_id
            ) as next_customer_id,
        from shared
    ) as sightings
    where next_customer_id is distinct from customer_id
),

-- What a visitor did between two customers belongs to the one who identifies next; after the last one, to the last.
intervals as (
    select
        org_id,
        visitor_id,
        customer_id,
        lag(occurred_at) over (partition by org_id, visitor_id order by occurred_at, customer_id) as valid_after,
        case when next_customer_id is not null then occurred_at end as valid_until,
    from run_ends
),

final as (
    select
        org_id,
        visitor_id,
        first_customer_id as customer_id,
        cast(null as timestamp) as valid_after,
        cast(null as timestamp) as valid_until,
    from visitors
    where first_customer_id = last_customer_id

    union all

    select
        org_id,
        visitor_id,
        customer_id,
        valid_after,
        valid_until,
    from intervals
    where valid_after is null or valid_until is null or valid_after < valid_until
)

select * from final

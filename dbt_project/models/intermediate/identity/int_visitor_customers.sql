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

order_keys as (
    select * from {{ ref('int_order_keys') }}
),

order_visitors as (
    select * from {{ ref('int_order_visitors') }}
),

email_customers as (
    select * from {{ ref('int_email_customers') }}
),

shared_ids as (
    select * from {{ ref('int_shared_ids') }}
),

-- The shop names the customer of an order, and the event of the checkout names its visitor.
ordered as (
    select
        conversions.org_id,
        order_visitors.visitor_id,
        conversions.customer_id,
        conversions.email_hash,
        conversions.occurred_at
    from conversions
    inner join order_keys
        on {{ named_order('conversions') }}
    inner join order_visitors
        on order_keys.org_id = order_visitors.org_id
        and order_keys.order_key = order_visitors.order_key
    where conversions.visitor_id is null
),

all_seen_with_customer as (
    {%- for relation in ['events', 'interactions', 'conversions', 'ordered'] %}
    select org_id, visitor_id, customer_id, occurred_at
    from {{ relation }}
    where visitor_id is not null and customer_id is not null
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

seen_with_customer as (
    select all_seen_with_customer.*
    from all_seen_with_customer
    left join shared_ids
        on {{ shared_customer('all_seen_with_customer') }}
    where shared_ids.id is null
),

seen_with_email as (
    {%- for relation in ['events', 'interactions', 'conversions', 'ordered'] %}
    select
        {{ relation }}.org_id,
        {{ relation }}.visitor_id,
        email_customers.customer_id,
        {{ relation }}.occurred_at,
        email_customers.is_known_customer
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

-- An address without a known customer identifies a visitor only where nothing better does. It can be a second address of a
-- known customer, since that would split a journey.
seen_together as (
    select org_id, visitor_id, customer_id, occurred_at from seen_with_customer

    union all

    select
        seen_with_email.org_id,
        seen_with_email.visitor_id,
        seen_with_email.customer_id,
        seen_with_email.occurred_at
    from seen_with_email
    left join known_visitors using (org_id, visitor_id)
    where seen_with_email.is_known_customer or known_visitors.visitor_id is null
),

-- Most visitors are one customer with one open interval. Only the history of shared visitors needs sorting.
visitors as (
    select
        org_id,
        visitor_id,
        min(customer_id) as first_customer_id,
        max(customer_id) as last_customer_id
    from seen_together
    group by org_id, visitor_id
),

shared as (
    select distinct
        seen_together.org_id,
        seen_together.visitor_id,
        seen_together.customer_id,
        seen_together.occurred_at
    from seen_together
    inner join visitors
        on seen_together.org_id = visitors.org_id
        and seen_together.visitor_id = visitors.visitor_id
        and visitors.first_customer_id <> visitors.last_customer_id
),

intervals as (
    {{ visitor_intervals('shared') }}
),

final as (
    select
        org_id,
        visitor_id,
        first_customer_id as customer_id,
        cast(null as timestamp) as valid_after,
        cast(null as timestamp) as valid_until
    from visitors
    where first_customer_id = last_customer_id

    union all

    select
        org_id,
        visitor_id,
        customer_id,
        valid_after,
        valid_until
    from intervals
    where valid_after is null or valid_until is null or valid_after < valid_until
)

select * from final

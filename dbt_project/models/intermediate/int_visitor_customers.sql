with

events as (
    select * from {{ ref('stg_raw__events') }}
),

interactions as (
    select * from {{ ref('stg_raw__interactions') }}
),

conversions as (
    select * from {{ ref('stg_raw__conversions') }}
),

seen_together as (
    {%- for relation in ['events', 'interactions', 'conversions'] %}
    select org_id, visitor_id, customer_id, occurred_at
    from {{ relation }}
    where visitor_id is not null and customer_id is not null
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
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

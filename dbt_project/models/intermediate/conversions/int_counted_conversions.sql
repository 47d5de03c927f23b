with

conversions as (
    select * from {{ ref('int_conversions') }}
    where exclusion_reason is null and not is_refund
),

refunds as (
    select * from {{ ref('int_refunds') }}
),

refunded as (
    select
        org_id,
        conversion_id,
        sum(refunded_micros) as refunded_micros
    from refunds
    group by org_id, conversion_id
),

cancelled_orders as (
    select * from {{ ref('int_cancelled_orders') }}
),

-- The earliest report of an order gives its id and time, and others may give its money and its person.
counted as (
    select
        conversions.conversion_id,
        conversions.org_id,
        conversions.site_id,
        persons.visitor_id,
        persons.customer_id,
        persons.session_site_id,
        persons.session_event_id,
        coalesce(
            'c:' || persons.customer_id, 'v:' || persons.visitor_id, 'conversion:' || conversions.conversion_id
        ) as person_key,
        conversions.conversion_type,
        conversions.occurred_at,
        conversions.date,
        conversions.order_id,
        conversions.order_key,
        money.value_micros,
        money.original_value_micros,
        money.original_currency,
        money.is_without_rate,
        money.rate_date,
        cast(coalesce(refunded.refunded_micros, 0) as bigint) as refunded_micros
    from conversions
    inner join conversions as money
        on conversions.org_id = money.org_id
        and conversions.conversion_id = money.counted_as_conversion_id
        and money.gives_value
    inner join conversions as persons
        on conversions.org_id = persons.org_id
        and conversions.conversion_id = persons.counted_as_conversion_id
        and persons.gives_person
    left join refunded
        on conversions.org_id = refunded.org_id
        and conversions.conversion_id = refunded.conversion_id
    left join cancelled_orders
        on conversions.org_id = cancelled_orders.org_id
        and conversions.order_key = cancelled_orders.order_key
    where conversions.conversion_id = conversions.counted_as_conversion_id
        and cancelled_orders.order_key is null
),

final as (
    select
        conversion_id,
        org_id,
        site_id,
        visitor_id,
        customer_id,
        conversion_type,
        occurred_at,
        order_id,
        order_key,
        value_micros - refunded_micros as value_micros,
        original_value_micros,
        original_currency,
        row_number() over (partition by org_id, person_key order by occurred_at, conversion_id) = 1 as is_first_conversion,
        date,
        person_key,
        refunded_micros,
        is_without_rate,
        rate_date,
        session_site_id,
        session_event_id
    from counted
)

select * from final

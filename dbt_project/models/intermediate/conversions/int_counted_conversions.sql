with

conversions as (
    select * from {{ ref('int_conversions') }}
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
    select distinct
        org_id,
        order_id
    from refunds
    where is_cancellation
),

counted as (
    select
        conversions.*,
        cast(coalesce(refunded.refunded_micros, 0) as bigint) as refunded_micros
    from conversions
    left join refunded using (org_id, conversion_id)
    left join cancelled_orders using (org_id, order_id)
    where conversions.exclusion_reason is null
        and conversions.conversion_id = conversions.counted_as_conversion_id
        and cancelled_orders.order_id is null
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
        value_micros - refunded_micros as value_micros,
        original_value_micros,
        original_currency,
        row_number() over (partition by org_id, person_key order by occurred_at, conversion_id) = 1 as is_first_conversion,
        date,
        person_key,
        refunded_micros
    from counted
)

select * from final

with

conversions as (
    select * from {{ ref('int_counted_conversions') }}
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
        value_micros,
        original_value_micros,
        original_currency,
        is_first_conversion,
        date,
        person_key,
        refunded_micros
    from conversions
)

select * from final
order by org_id, date

with

conversions as (
    select * from {{ ref('int_conversions') }}
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
        row_number() over (partition by org_id, person_key order by occurred_at, conversion_id) = 1 as is_first_conversion,
        date,
        person_key,
    from conversions
    where conversion_id = counted_as_conversion_id
)

select * from final
order by org_id, date

with

conversions as (
    select * from {{ ref('int_conversions') }}
    where exclusion_reason is null and not is_refund and not is_failed_payment and order_id is not null
),

-- The two amounts of the report that gives the value state the same order, before those of other reports.
amounts as (
    select
        org_id,
        counted_as_conversion_id as conversion_id,
        original_currency as currency,
        original_value_micros as amount_micros,
        case when gives_value then 0 else 2 end as preference,
        occurred_at,
        conversion_id as report_id
    from conversions

    union all

    select
        org_id,
        counted_as_conversion_id as conversion_id,
        presentment_currency as currency,
        presentment_value_micros as amount_micros,
        case when gives_value then 1 else 3 end as preference,
        occurred_at,
        conversion_id as report_id
    from conversions
    where presentment_currency is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by org_id, conversion_id, currency
            order by preference, occurred_at, report_id
        ) as rank
    from amounts
    where amount_micros > 0
),

final as (
    select
        org_id,
        conversion_id,
        currency,
        amount_micros
    from ranked
    where rank = 1
)

select * from final

with

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

events as (
    select * from {{ ref('stg_raw__events') }}
),

reported as (
    select * from {{ ref('stg_raw__conversions') }}
),

rates as (
    select * from {{ ref('int_exchange_rates') }}
),

visitor_customers as (
    select * from {{ ref('int_visitor_customers') }}
),

unioned as (
    select
        site_id || ':' || event_id as conversion_id,
        org_id,
        site_id,
        visitor_id,
        customer_id,
        coalesce(conversion_type, 'purchase') as conversion_type,
        occurred_at,
        order_id,
        value_micros,
        currency,
    from events
    where type = 'CONVERSION'

    union all

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
        currency,
    from reported
),

identified as (
    select
        unioned.* exclude (customer_id, currency),
        coalesce(unioned.customer_id, visitor_customers.customer_id) as customer_id,
        coalesce(unioned.currency, orgs.currency) as currency,
        orgs.currency as reporting_currency,
        {{ reporting_date('unioned.occurred_at', 'orgs.timezone') }} as date,
    from unioned
    inner join orgs using (org_id)
    left join visitor_customers
        on unioned.org_id = visitor_customers.org_id
        and unioned.visitor_id = visitor_customers.visitor_id
        and unioned.customer_id is null
        and (unioned.occurred_at > visitor_customers.valid_after or visitor_customers.valid_after is null)
        and (unioned.occurred_at <= visitor_customers.valid_until or visitor_customers.valid_until is null)
),

converted as (
    select
        identified.*,
        case
            when identified.currency = identified.reporting_currency then identified.value_micros
            else {{ rounded_share('identified.value_micros', 'rates.numerator', 'rates.denominator') }}
        end as reporting_value_micros,
    from identified
    left join rates
        on identified.currency = rates.base
        and identified.reporting_currency = rates.quote
        and identified.currency <> identified.reporting_currency
        and identified.date >= rates.valid_from
        and (identified.date < rates.valid_until or rates.valid_until is null)
),

-- A reloaded thank-you page and the shop's own export report one order twice: the earliest report of it counts.
final as (
    select
        conversion_id,
        org_id,
        site_id,
        visitor_id,
        customer_id,
        case when customer_id is not null then 'c:' || customer_id else 'v:' || visitor_id end as person_key,
        conversion_type,
        occurred_at,
        date,
        order_id,
        coalesce(reporting_value_micros, 0) as value_micros,
        value_micros as original_value_micros,
        currency as original_currency,
        value_micros is not null and reporting_value_micros is null as is_without_rate,
        case
            when order_id is not null
                then first_value(conversion_id) over (
                    partition by org_id, conversion_type, order_id
                    order by occurred_at, conversion_id
                )
            else conversion_id
        end as counted_as_conversion_id,
    from converted
)

select * from final

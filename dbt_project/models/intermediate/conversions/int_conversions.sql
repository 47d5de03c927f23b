{%- set text = dbt.type_string() -%}
with

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

events as (
    select * from {{ ref('stg_raw__events') }}
),

excluded_events as (
    select * from {{ ref('int_excluded_events') }}
),

reported as (
    select * from {{ ref('stg_raw__conversions') }}
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

rates as (
    select * from {{ ref('int_exchange_rates') }}
),

visitor_customers as (
    select * from {{ ref('int_visitor_customers') }}
),

unioned as (
    select
        events.site_id || ':' || events.event_id as conversion_id,
        events.org_id,
        events.site_id,
        events.event_id,
        events.visitor_id,
        events.customer_id,
        events.email_hash,
        coalesce(events.conversion_type, 'purchase') as conversion_type,
        events.occurred_at,
        events.order_id,
        events.value_micros,
        events.currency,
        coalesce(events.consent, true) as may_be_stitched,
        excluded_events.reason as exclusion_reason
    from events
    left join excluded_events using (org_id, site_id, event_id)
    where events.type = 'CONVERSION'

    union all

    select
        conversion_id,
        org_id,
        site_id,
        cast(null as {{ text }}) as event_id,
        visitor_id,
        customer_id,
        email_hash,
        conversion_type,
        occurred_at,
        order_id,
        value_micros,
        currency,
        true as may_be_stitched,
        cast(null as {{ text }}) as exclusion_reason
    from reported
),

-- A webhook's order gets the visitor of the event that names the order. A visitor without consent stays unknown.
stitched as (
    select
        unioned.conversion_id,
        unioned.org_id,
        unioned.site_id,
        case when shared_ids.id is null then unioned.customer_id end as customer_id,
        unioned.email_hash,
        unioned.conversion_type,
        unioned.occurred_at,
        unioned.order_id,
        unioned.value_micros,
        unioned.currency,
        unioned.exclusion_reason,
        coalesce(unioned.visitor_id, order_visitors.visitor_id) as visitor_id,
        coalesce(unioned.event_id, order_visitors.event_id) as session_event_id,
        case when unioned.event_id is not null then unioned.site_id else order_visitors.site_id end as session_site_id
    from unioned
    left join shared_ids
        on {{ shared_customer('unioned') }}
    left join order_visitors
        on unioned.org_id = order_visitors.org_id
        and unioned.order_id = order_visitors.order_id
        and coalesce(unioned.visitor_id, order_visitors.visitor_id) = order_visitors.visitor_id
        and unioned.may_be_stitched
),

identified as (
    select
        stitched.conversion_id,
        stitched.org_id,
        stitched.site_id,
        stitched.visitor_id,
        coalesce(
            stitched.customer_id,
            case when email_customers.is_known_customer then email_customers.customer_id end,
            visitor_customers.customer_id,
            email_customers.customer_id
        ) as customer_id,
        stitched.conversion_type,
        stitched.occurred_at,
        {{ reporting_date('stitched.occurred_at', 'orgs.timezone') }} as date,
        stitched.order_id,
        stitched.value_micros,
        coalesce(stitched.currency, orgs.currency) as currency,
        orgs.currency as reporting_currency,
        stitched.exclusion_reason,
        stitched.session_event_id,
        stitched.session_site_id
    from stitched
    inner join orgs using (org_id)
    left join email_customers using (org_id, email_hash)
    left join visitor_customers
        on {{ known_customer('stitched') }}
),

converted as (
    select
        identified.*,
        case
            when identified.currency = identified.reporting_currency then identified.value_micros
            else {{ rounded_share('identified.value_micros', 'rates.numerator', 'rates.denominator') }}
        end as reporting_value_micros
    from identified
    left join rates
        on {{ rate_of_day('identified.currency', 'identified.reporting_currency', 'identified.date') }}
),

-- A reloaded thank-you page or the shop's own export can report one order twice. The earliest report counts.
final as (
    select
        conversion_id,
        org_id,
        site_id,
        visitor_id,
        customer_id,
        coalesce('c:' || customer_id, 'v:' || visitor_id, 'conversion:' || conversion_id) as person_key,
        conversion_type,
        occurred_at,
        date,
        order_id,
        coalesce(reporting_value_micros, 0) as value_micros,
        value_micros as original_value_micros,
        currency as original_currency,
        value_micros is not null and reporting_value_micros is null as is_without_rate,
        case
            when order_id is not null and exclusion_reason is null
                then first_value(conversion_id) over (
                    partition by org_id, conversion_type, order_id, exclusion_reason
                    order by occurred_at, conversion_id
                )
            else conversion_id
        end as counted_as_conversion_id,
        exclusion_reason,
        session_site_id,
        session_event_id
    from converted
)

select * from final

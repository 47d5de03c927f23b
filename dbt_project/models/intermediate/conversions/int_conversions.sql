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

failed_payments as (
    select * from {{ ref('int_failed_payments') }}
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
        cast(null as bigint) as presentment_value_micros,
        cast(null as {{ text }}) as presentment_currency,
        false as is_payment,
        false as is_failed_payment,
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
        presentment_value_micros,
        presentment_currency,
        payment_ids is not null as is_payment,
        failed_payments.conversion_id is not null as is_failed_payment,
        true as may_be_stitched,
        cast(null as {{ text }}) as exclusion_reason
    from reported
    left join failed_payments using (org_id, conversion_id)
),

keyed as (
    select
        unioned.*,
        order_keys.order_key,
        -- Only a report that counts can be the sale of an order.
        bool_or(unioned.value_micros > 0 and unioned.exclusion_reason is null)
            over (partition by unioned.org_id, order_keys.order_key) as has_sale,
        -- A payment has one type. The provider's invoice knows it; its other reports of the payment do not.
        case
            when unioned.is_payment
                then max(case when unioned.is_payment and unioned.conversion_type <> 'purchase' then unioned.conversion_type end)
                    over (partition by unioned.org_id, order_keys.order_key)
        end as payment_type
    from unioned
    left join order_keys
        on {{ named_order('unioned') }}
),

-- A webhook's order gets the visitor of the event that names the order. A visitor without consent stays unknown.
stitched as (
    select
        keyed.conversion_id,
        keyed.org_id,
        keyed.site_id,
        {{ own_customer('keyed') }} as customer_id,
        keyed.email_hash,
        coalesce(keyed.payment_type, keyed.conversion_type) as conversion_type,
        keyed.occurred_at,
        keyed.order_id,
        keyed.order_key,
        keyed.value_micros,
        keyed.currency,
        keyed.presentment_value_micros,
        keyed.presentment_currency,
        keyed.is_failed_payment,
        case
            when keyed.exclusion_reason is not null then keyed.exclusion_reason
            when keyed.order_id is not null and keyed.order_key is null then 'ambiguous_order'
            when keyed.value_micros < 0 and not coalesce(keyed.order_key is not null and keyed.has_sale, false) then 'negative_value'
        end as exclusion_reason,
        keyed.value_micros < 0 as is_negative,
        coalesce(keyed.visitor_id, order_visitors.visitor_id) as visitor_id,
        coalesce(keyed.event_id, order_visitors.event_id) as session_event_id,
        case when keyed.event_id is not null then keyed.site_id else order_visitors.site_id end as session_site_id
    from keyed
    left join shared_ids
        on {{ shared_customer('keyed') }}
    left join order_visitors
        on keyed.org_id = order_visitors.org_id
        and keyed.order_key = order_visitors.order_key
        and coalesce(keyed.visitor_id, order_visitors.visitor_id) = order_visitors.visitor_id
        and keyed.may_be_stitched
),

identified as (
    select
        stitched.*,
        coalesce(
            stitched.customer_id,
            case when email_customers.is_known_customer then email_customers.customer_id end,
            visitor_customers.customer_id,
            email_customers.customer_id
        ) as known_customer_id,
        {{ reporting_date('stitched.occurred_at', 'orgs.timezone') }} as date,
        orgs.currency as reporting_currency,
        coalesce(stitched.is_negative, false) and stitched.exclusion_reason is null as is_refund,
        -- The reports with the same key are one conversion.
        case
            when stitched.order_key is not null
                and stitched.exclusion_reason is null
                and not coalesce(stitched.is_negative, false)
                then 'order:' || stitched.conversion_type || ':' || stitched.order_key
            else 'conversion:' || stitched.conversion_id
        end as merge_key
    from stitched
    inner join orgs using (org_id)
    left join email_customers using (org_id, email_hash)
    left join visitor_customers
        on {{ known_customer('stitched') }}
),

-- A reloaded thank-you page or the shop's own export can report one order twice. The earliest report counts; of reports of the
-- same moment, one with money.
counted as (
    select
        *,
        first_value(conversion_id) over earliest as counted_as_conversion_id,
        first_value(date) over earliest as counted_date
    from identified
    window earliest as (
        partition by org_id, merge_key
        order by occurred_at, case when value_micros > 0 then 0 else 1 end, conversion_id
    )
),

converted as (
    select
        counted.*,
        coalesce(counted.currency, counted.reporting_currency) as original_currency,
        rates.valid_from as rate_date,
        case
            when coalesce(counted.currency, counted.reporting_currency) = counted.reporting_currency then counted.value_micros
            else {{ rounded_share('counted.value_micros', 'rates.numerator', 'rates.denominator') }}
        end as reporting_value_micros
    from counted
    left join rates
        on {{ rate_of_day('coalesce(counted.currency, counted.reporting_currency)', 'counted.reporting_currency', 'counted.counted_date') }}
),

final as (
    select
        conversion_id,
        org_id,
        site_id,
        visitor_id,
        known_customer_id as customer_id,
        coalesce('c:' || known_customer_id, 'v:' || visitor_id, 'conversion:' || conversion_id) as person_key,
        conversion_type,
        occurred_at,
        date,
        order_id,
        order_key,
        coalesce(reporting_value_micros, 0) as value_micros,
        value_micros as original_value_micros,
        original_currency,
        currency is not null as has_currency,
        presentment_value_micros,
        presentment_currency,
        is_failed_payment,
        value_micros is not null and reporting_value_micros is null as is_without_rate,
        rate_date,
        is_refund,
        counted_as_conversion_id,
        -- The earliest report with money gives the value: first money with a rate, then any money, then a zero. A failed payment can
        -- have another amount than the one that paid the order. Several payments can pay an invoice, so its own report precedes theirs.
        row_number() over (
            partition by org_id, merge_key
            order by
                is_failed_payment,
                case when reporting_value_micros > 0 then 0 when value_micros > 0 then 1 when value_micros = 0 then 2 else 3 end,
                case when substring(conversion_id, 1, 10) = 'stripe:in_' then 0 else 1 end,
                occurred_at,
                conversion_id
        ) = 1 as gives_value,
        row_number() over (
            partition by org_id, merge_key
            order by
                case when coalesce(known_customer_id, visitor_id) is not null then 0 else 1 end,
                occurred_at,
                case when value_micros > 0 then 0 else 1 end,
                conversion_id
        ) = 1 as gives_person,
        exclusion_reason,
        session_site_id,
        session_event_id
    from converted
)

select * from final

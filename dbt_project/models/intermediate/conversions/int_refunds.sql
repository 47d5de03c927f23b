with

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

reported as (
    select * from {{ ref('stg_raw__refunds') }}
),

events as (
    select * from {{ ref('stg_raw__events') }}
    where type = 'REFUND'
),

excluded_events as (
    select * from {{ ref('int_excluded_events') }}
),

conversions as (
    select * from {{ ref('int_conversions') }}
    where exclusion_reason is null and conversion_id = counted_as_conversion_id and order_id is not null
),

rates as (
    select * from {{ ref('int_exchange_rates') }}
),

unioned as (
    select
        org_id,
        refund_id,
        site_id,
        occurred_at,
        order_id,
        lower(reason) = 'cancelled' as is_cancellation,
        abs(value_micros) as value_micros,
        currency,
        cast(null as {{ dbt.type_string() }}) as exclusion_reason
    from reported

    union all

    select
        events.org_id,
        events.site_id || ':' || events.event_id as refund_id,
        events.site_id,
        events.occurred_at,
        events.order_id,
        false as is_cancellation,
        abs(events.value_micros) as value_micros,
        events.currency,
        excluded_events.reason as exclusion_reason
    from events
    left join excluded_events using (org_id, site_id, event_id)
),

-- One order can be several conversions, such as a purchase and a new customer. The refund reduces the purchase.
order_conversions as (
    select * from (
        select
            *,
            row_number() over (
                partition by org_id, order_id
                order by case when conversion_type = 'purchase' then 0 else 1 end, value_micros desc, conversion_id
            ) as rank
        from conversions
    ) as ranked
    where rank = 1
),

cancelled_orders as (
    select distinct
        org_id,
        order_id
    from unioned
    where is_cancellation
),

-- A refund is converted at the rate of the conversion's day, so that a full refund leaves exactly zero.
matched as (
    select
        unioned.org_id,
        unioned.refund_id,
        unioned.site_id,
        unioned.occurred_at,
        {{ reporting_date('unioned.occurred_at', 'orgs.timezone') }} as date,
        unioned.order_id,
        unioned.is_cancellation,
        unioned.value_micros as original_value_micros,
        coalesce(unioned.currency, orgs.currency) as original_currency,
        order_conversions.conversion_id,
        greatest(order_conversions.value_micros, 0) as conversion_value_micros,
        case when coalesce(unioned.currency, orgs.currency) = orgs.currency then 1 else rates.numerator end as numerator,
        case when coalesce(unioned.currency, orgs.currency) = orgs.currency then 1 else rates.denominator end as denominator,
        case
            when unioned.exclusion_reason is not null then unioned.exclusion_reason
            when order_conversions.conversion_id is null then 'unknown_order'
            when cancelled_orders.order_id is not null then null
            when unioned.value_micros is not null
                and coalesce(unioned.currency, orgs.currency) <> orgs.currency
                and rates.numerator is null then 'no_exchange_rate'
        end as exclusion_reason,
        cancelled_orders.order_id is not null and order_conversions.conversion_id is not null as is_of_cancelled_order
    from unioned
    inner join orgs using (org_id)
    left join order_conversions using (org_id, order_id)
    left join cancelled_orders using (org_id, order_id)
    left join rates
        on {{ rate_of_day('coalesce(unioned.currency, orgs.currency)', 'orgs.currency', 'order_conversions.date') }}
),

-- Several refunds in one currency are converted as a sum, and each gets its part of it.
with_sum as (
    select
        *,
        sum(original_value_micros) over (
            partition by org_id, conversion_id, original_currency
            order by occurred_at, refund_id
            rows unbounded preceding
        ) as sum_micros
    from matched
    where exclusion_reason is null and not is_of_cancelled_order
),

valued as (
    select
        *,
        case
            when original_value_micros is null then conversion_value_micros
            else {{ rounded_share('sum_micros', 'numerator', 'denominator') }}
                - {{ rounded_share('(sum_micros - original_value_micros)', 'numerator', 'denominator') }}
        end as value_micros
    from with_sum
),

-- A refund without an amount covers the remaining balance, so apply it last.
applied as (
    select
        org_id,
        refund_id,
        value_micros,
        conversion_value_micros,
        sum(value_micros) over (
            partition by org_id, conversion_id
            order by case when original_value_micros is null then 1 else 0 end, occurred_at, refund_id
            rows unbounded preceding
        ) as requested_micros
    from valued
),

with_refunded as (
    select
        *,
        least(requested_micros, conversion_value_micros)
            - least(requested_micros - value_micros, conversion_value_micros) as refunded_micros
    from applied
),

final as (
    select
        matched.org_id,
        matched.refund_id,
        matched.site_id,
        matched.occurred_at,
        matched.date,
        matched.order_id,
        matched.conversion_id,
        matched.is_cancellation,
        matched.is_of_cancelled_order,
        matched.original_value_micros,
        matched.original_currency,
        cast(coalesce(with_refunded.refunded_micros, 0) as bigint) as refunded_micros,
        cast(
            case
                when matched.original_value_micros is null or with_refunded.refund_id is null then 0
                else with_refunded.value_micros - with_refunded.refunded_micros
            end
            as bigint
        ) as excess_micros,
        matched.exclusion_reason
    from matched
    left join with_refunded using (org_id, refund_id)
)

select * from final

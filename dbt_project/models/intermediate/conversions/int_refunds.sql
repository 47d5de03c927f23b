with

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

refunds as (
    select * from {{ ref('int_refund_reports') }}
),

conversions as (
    select * from {{ ref('int_conversions') }}
    where exclusion_reason is null and order_key is not null and not is_refund
),

order_amounts as (
    select * from {{ ref('int_order_amounts') }}
),

cancelled_orders as (
    select * from {{ ref('int_cancelled_orders') }}
),

order_values as (
    select
        org_id,
        order_key,
        counted_as_conversion_id as conversion_id,
        conversion_type,
        value_micros,
        original_currency,
        is_without_rate
    from conversions
    where gives_value
),

-- One order can be several conversions, such as a purchase and a new customer. A negative row reduces the conversion of its type,
-- and other refunds reduce the purchase.
candidates as (
    select
        refunds.org_id,
        refunds.refund_id,
        order_values.conversion_id,
        order_values.value_micros,
        order_values.original_currency,
        order_values.is_without_rate,
        row_number() over (
            partition by refunds.org_id, refunds.refund_id
            order by
                case when order_values.conversion_type = refunds.conversion_type then 0 else 1 end,
                case when order_values.conversion_type = 'purchase' then 0 else 1 end,
                order_values.value_micros desc,
                order_values.conversion_id
        ) as rank
    from refunds
    inner join order_values using (org_id, order_key)
),

placed as (
    select
        refunds.*,
        orgs.currency as reporting_currency,
        {{ reporting_date('refunds.occurred_at', 'orgs.timezone') }} as date,
        coalesce(refunds.currency, candidates.original_currency, orgs.currency) as refund_currency,
        candidates.conversion_id,
        candidates.value_micros as conversion_value_micros,
        candidates.is_without_rate,
        cancelled_orders.order_key is not null and candidates.conversion_id is not null as is_of_cancelled_order
    from refunds
    inner join orgs using (org_id)
    left join candidates
        on refunds.org_id = candidates.org_id
        and refunds.refund_id = candidates.refund_id
        and candidates.rank = 1
    left join cancelled_orders
        on refunds.org_id = cancelled_orders.org_id
        and refunds.order_key = cancelled_orders.order_key
),

-- A refund is the same share of the order in every currency, so that a full refund leaves exactly zero. A rate of the market
-- would leave a rest.
matched as (
    select
        placed.org_id,
        placed.refund_id,
        placed.site_id,
        placed.occurred_at,
        placed.date,
        placed.order_id,
        placed.order_key,
        placed.is_of_cancelled_order,
        placed.is_negative_conversion,
        placed.value_micros as original_value_micros,
        placed.refund_currency as original_currency,
        placed.conversion_id,
        placed.conversion_value_micros,
        case
            when order_amounts.amount_micros is not null or placed.order_value_micros > 0 then placed.conversion_value_micros
            when placed.refund_currency = placed.reporting_currency then 1
        end as numerator,
        coalesce(order_amounts.amount_micros, case when placed.order_value_micros > 0 then placed.order_value_micros end, 1)
            as denominator,
        case
            when placed.exclusion_reason is not null then placed.exclusion_reason
            when placed.order_id is not null and placed.order_key is null then 'ambiguous_order'
            when placed.conversion_id is null and placed.value_micros = 0 then null
            when placed.conversion_id is null then 'unknown_order'
            when placed.is_of_cancelled_order or placed.value_micros is null or placed.value_micros = 0 then null
            when placed.is_without_rate then 'no_exchange_rate'
            when order_amounts.amount_micros is null
                and coalesce(placed.order_value_micros, 0) = 0
                and placed.refund_currency <> placed.reporting_currency then 'unknown_currency'
        end as exclusion_reason
    from placed
    left join order_amounts
        on placed.org_id = order_amounts.org_id
        and placed.conversion_id = order_amounts.conversion_id
        and placed.refund_currency = order_amounts.currency
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
    where exclusion_reason is null and not is_of_cancelled_order and conversion_id is not null
),

valued as (
    select
        *,
        case
            when original_value_micros is null then conversion_value_micros
            when original_value_micros = 0 then 0
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
        matched.order_key,
        matched.conversion_id,
        matched.is_negative_conversion,
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

{%- set text = dbt.type_string() -%}
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
),

order_amounts as (
    select * from {{ ref('int_order_amounts') }}
),

order_keys as (
    select * from {{ ref('int_order_keys') }}
),

uncounted_refunds as (
    select * from {{ ref('int_uncounted_refunds') }}
),

unioned as (
    select
        reported.org_id,
        reported.refund_id,
        reported.site_id,
        reported.occurred_at,
        reported.order_id,
        cast(null as {{ text }}) as conversion_type,
        coalesce(lower(reported.reason) = 'dispute' and reported.refund_id not like 'paypal:%', false) as is_dispute,
        false as is_negative_conversion,
        coalesce(uncounted_refunds.remaining_micros, abs(reported.value_micros)) as value_micros,
        abs(reported.order_value_micros) as order_value_micros,
        abs(reported.refunded_total_micros) as refunded_total_micros,
        reported.currency,
        cast(null as {{ text }}) as exclusion_reason
    from reported
    left join uncounted_refunds using (org_id, refund_id)

    union all

    select
        events.org_id,
        events.site_id || ':' || events.event_id as refund_id,
        events.site_id,
        events.occurred_at,
        events.order_id,
        cast(null as {{ text }}) as conversion_type,
        false as is_dispute,
        false as is_negative_conversion,
        abs(events.value_micros) as value_micros,
        cast(null as bigint) as order_value_micros,
        cast(null as bigint) as refunded_total_micros,
        events.currency,
        excluded_events.reason as exclusion_reason
    from events
    left join excluded_events using (org_id, site_id, event_id)

    union all

    select
        org_id,
        'conversion:' || conversion_id as refund_id,
        site_id,
        occurred_at,
        order_id,
        conversion_type,
        false as is_dispute,
        true as is_negative_conversion,
        abs(original_value_micros) as value_micros,
        cast(null as bigint) as order_value_micros,
        cast(null as bigint) as refunded_total_micros,
        case when has_currency then original_currency end as currency,
        cast(null as {{ text }}) as exclusion_reason
    from conversions
    where is_refund
),

keyed as (
    select
        unioned.*,
        order_keys.order_key
    from unioned
    left join order_keys
        on {{ named_order('unioned') }}
),

-- The conversion of an order that gives its currency: int_refunds reduces the same one.
order_currencies as (
    select
        org_id,
        order_key,
        counted_as_conversion_id as conversion_id,
        original_currency as currency,
        row_number() over (
            partition by org_id, order_key
            order by case when conversion_type = 'purchase' then 0 else 1 end, value_micros desc, counted_as_conversion_id
        ) as rank
    from conversions
    where gives_value and order_key is not null and exclusion_reason is null and not is_refund
),

-- Sources can state the refunds of one order in several currencies: the shop's, the buyer's, or none. Then compare them in the
-- order's currency, as shares of the order.
with_ratios as (
    select
        keyed.*,
        order_currencies.currency as order_currency,
        coalesce(keyed.currency, order_currencies.currency, orgs.currency) as own_currency,
        shop_amounts.amount_micros as numerator,
        coalesce(
            refund_amounts.amount_micros, case when keyed.order_value_micros > 0 then keyed.order_value_micros end
        ) as denominator
    from keyed
    inner join orgs using (org_id)
    left join order_currencies
        on keyed.org_id = order_currencies.org_id
        and keyed.order_key = order_currencies.order_key
        and order_currencies.rank = 1
    left join order_amounts as shop_amounts
        on keyed.org_id = shop_amounts.org_id
        and order_currencies.conversion_id = shop_amounts.conversion_id
        and order_currencies.currency = shop_amounts.currency
    left join order_amounts as refund_amounts
        on keyed.org_id = refund_amounts.org_id
        and order_currencies.conversion_id = refund_amounts.conversion_id
        and coalesce(keyed.currency, order_currencies.currency) = refund_amounts.currency
),

with_currencies as (
    select
        *,
        case when coalesce(value_micros, refunded_total_micros, 0) <> 0 then own_currency end as counted_currency
    from with_ratios
),

with_conversions as (
    select
        *,
        coalesce(numerator > 0 and denominator > 0, false)
        and coalesce(
            min(counted_currency) over (partition by org_id, order_key)
            <> max(counted_currency) over (partition by org_id, order_key),
            false
        ) as is_converted
    from with_currencies
),

comparable as (
    select
        *,
        case when is_converted then order_currency else own_currency end as compared_currency,
        case
            when is_converted then {{ rounded_share('value_micros', 'numerator', 'denominator') }}
            else value_micros
        end as compared_value_micros,
        case
            when is_converted then {{ rounded_share('refunded_total_micros', 'numerator', 'denominator') }}
            else refunded_total_micros
        end as compared_total_micros,
        case when not is_converted and not is_dispute and order_value_micros > denominator then order_value_micros - denominator end
            as uncaptured_micros
    from with_conversions
),

-- Exports of a shop state the sum of an order's refunds. A later export, or another source, states the same refunds again. Stripe's
-- export of payments states disputes in another column. The sum of a shop can include a claim of PayPal.
with_sums as (
    select
        *,
        coalesce(
            sum(case when coalesce(refunded_total_micros, 0) = 0 and exclusion_reason is null then compared_value_micros end)
                over (partition by org_id, order_key, compared_currency, is_dispute),
            0
        ) as single_micros,
        coalesce(
            max(compared_total_micros) over (
                partition by org_id, order_key, compared_currency, is_dispute
                order by coalesce(compared_total_micros, 0), occurred_at, refund_id
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as smaller_total_micros
    from comparable
),

final as (
    select
        org_id,
        refund_id,
        site_id,
        occurred_at,
        order_id,
        order_key,
        conversion_type,
        is_negative_conversion,
        -- A total counts its excess over the single refunds and the smaller totals. An export can state the authorized amount of an
        -- order that has the captured amount: then the excess can be the difference, which nobody paid.
        case
            when compared_total_micros - single_micros = uncaptured_micros then 0
            when refunded_total_micros > 0 and order_key is not null
                then cast(
                    greatest(compared_total_micros, single_micros) - greatest(smaller_total_micros, single_micros) as bigint
                )
            when value_micros is null then refunded_total_micros
            else value_micros
        end as value_micros,
        order_value_micros,
        case when refunded_total_micros > 0 and order_key is not null then compared_currency else currency end as currency,
        exclusion_reason
    from with_sums
)

select * from final

{%- set text = dbt.type_string() -%}
with

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

negative_conversions as (
    select * from {{ ref('int_conversions') }}
    where is_refund
),

order_keys as (
    select * from {{ ref('int_order_keys') }}
),

unioned as (
    select
        org_id,
        refund_id,
        site_id,
        occurred_at,
        order_id,
        cast(null as {{ text }}) as conversion_type,
        lower(reason) = 'cancelled' as is_cancellation,
        false as is_negative_conversion,
        abs(value_micros) as value_micros,
        abs(order_value_micros) as order_value_micros,
        abs(refunded_total_micros) as refunded_total_micros,
        currency,
        cast(null as {{ text }}) as exclusion_reason
    from reported

    union all

    select
        events.org_id,
        events.site_id || ':' || events.event_id as refund_id,
        events.site_id,
        events.occurred_at,
        events.order_id,
        cast(null as {{ text }}) as conversion_type,
        false as is_cancellation,
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
        false as is_cancellation,
        true as is_negative_conversion,
        abs(original_value_micros) as value_micros,
        cast(null as bigint) as order_value_micros,
        cast(null as bigint) as refunded_total_micros,
        case when has_currency then original_currency end as currency,
        cast(null as {{ text }}) as exclusion_reason
    from negative_conversions
),

keyed as (
    select
        unioned.*,
        order_keys.order_key
    from unioned
    left join order_keys
        on unioned.org_id = order_keys.org_id
        and unioned.order_id = order_keys.order_id
        and coalesce(unioned.site_id, '') = order_keys.site_id
),

-- Exports of a shop state the sum of an order's refunds. A later export, or another source, states the same refunds again.
with_sums as (
    select
        *,
        coalesce(
            sum(case when coalesce(refunded_total_micros, 0) = 0 and exclusion_reason is null then value_micros end)
                over (partition by org_id, order_key, currency),
            0
        ) as single_micros,
        coalesce(
            max(refunded_total_micros) over (
                partition by org_id, order_key, currency
                order by coalesce(refunded_total_micros, 0), occurred_at, refund_id
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as smaller_total_micros
    from keyed
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
        is_cancellation,
        is_negative_conversion,
        -- A total counts its excess over the single refunds and the smaller totals.
        case
            when refunded_total_micros > 0 and order_key is not null
                then cast(
                    greatest(refunded_total_micros, single_micros) - greatest(smaller_total_micros, single_micros) as bigint
                )
            when value_micros is null then refunded_total_micros
            else value_micros
        end as value_micros,
        order_value_micros,
        currency,
        exclusion_reason
    from with_sums
)

select * from final

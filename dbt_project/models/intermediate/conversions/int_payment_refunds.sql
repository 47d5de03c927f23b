with

refunds as (
    select * from {{ ref('stg_raw__refunds') }}
    where payment_ids is not null
),

order_keys as (
    select * from {{ ref('int_order_keys') }}
),

final as (
    select
        refunds.org_id,
        refunds.refund_id,
        split_part(refunds.refund_id, ':', 1) as source,
        lower(refunds.reason) as reason,
        refunds.occurred_at,
        order_keys.order_key,
        refunds.payment_ids,
        split_part(refunds.payment_ids, ' ', 1) as source_id,
        refunds.currency,
        abs(refunds.value_micros) as amount_micros
    from refunds
    left join order_keys
        on {{ named_order('refunds') }}
)

select * from final

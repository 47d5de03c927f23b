with

refunds as (
    select * from {{ ref('stg_raw__refunds') }}
    where lower(reason) in ('cancelled', 'payment_failed')
),

uncounted_refunds as (
    select * from {{ ref('int_uncounted_refunds') }}
),

order_keys as (
    select * from {{ ref('int_order_keys') }}
    where order_key is not null
),

final as (
    select distinct
        refunds.org_id,
        order_keys.order_key
    from refunds
    inner join order_keys
        on {{ named_order('refunds') }}
    left join uncounted_refunds
        on refunds.org_id = uncounted_refunds.org_id
        and refunds.refund_id = uncounted_refunds.refund_id
    where uncounted_refunds.refund_id is null
)

select * from final

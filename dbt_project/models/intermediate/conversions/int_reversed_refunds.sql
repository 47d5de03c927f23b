with

refunds as (
    select * from {{ ref('int_payment_refunds') }}
),

-- The provider withdraws money for a refund or a dispute, returns it, and can withdraw it again.
withdrawals as (
    select
        *,
        row_number() over (partition by org_id, source_id order by occurred_at, refund_id) as number
    from refunds
    where reason in ('refund', 'dispute') and source = 'stripe_balance'
),

reversals as (
    select
        *,
        row_number() over (partition by org_id, source_id order by occurred_at, refund_id) as number
    from refunds
    where reason = 'reversed'
),

final as (
    select
        org_id,
        withdrawals.refund_id
    from withdrawals
    inner join reversals using (org_id, source_id, number)
)

select * from final

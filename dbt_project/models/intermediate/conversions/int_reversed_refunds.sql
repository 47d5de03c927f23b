{#- A view: only int_uncounted_refunds reads it. -#}
{{ config(materialized='view') }}

with

refunds as (
    select * from {{ ref('int_payment_refunds') }}
),

-- The provider withdraws money for a refund or a dispute, returns it, and can withdraw it again. PayPal's refunds by the merchant
-- have the id of the payment, like its disputes.
withdrawals as (
    select
        *,
        row_number() over (partition by org_id, source_id order by occurred_at, refund_id) as number
    from refunds
    where (source = 'stripe_balance' and reason in ('refund', 'dispute'))
        or (source = 'paypal' and reason = 'dispute')
),

-- A reversal of PayPal can name the payment or the withdrawal.
named_reversals as (
    select
        reversals.org_id,
        reversals.refund_id,
        reversals.occurred_at,
        reversals.amount_micros,
        reversals.source = 'paypal' as can_be_partial,
        coalesce(withdrawals.source_id, reversals.source_id) as source_id
    from refunds as reversals
    left join withdrawals
        on reversals.org_id = withdrawals.org_id
        and reversals.source || ':' || reversals.source_id = withdrawals.refund_id
    where reversals.reason = 'reversed'
),

reversals as (
    select
        *,
        row_number() over (partition by org_id, source_id order by occurred_at, refund_id) as number
    from named_reversals
),

-- PayPal's amounts are in the currency of the payment. Stripe's are in that of the account, and the rates of the two lines differ.
final as (
    select
        org_id,
        withdrawals.refund_id,
        case
            when reversals.can_be_partial then greatest(withdrawals.amount_micros - reversals.amount_micros, 0)
            else 0
        end as remaining_micros
    from withdrawals
    inner join reversals using (org_id, source_id, number)
)

select * from final

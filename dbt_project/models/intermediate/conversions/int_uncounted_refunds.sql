with

payment_refunds as (
    select * from {{ ref('int_payment_refunds') }}
),

superseded_failures as (
    select * from {{ ref('int_superseded_failures') }}
),

repeated_refunds as (
    select * from {{ ref('int_repeated_refunds') }}
),

reversed_refunds as (
    select * from {{ ref('int_reversed_refunds') }}
),

-- A webhook's dispute can have several withdrawals in the balance report. Its money is back if that of each of them is.
reversed_webhook_refunds as (
    select
        repeated_refunds.org_id,
        repeated_refunds.webhook_refund_id as refund_id
    from repeated_refunds
    left join reversed_refunds using (org_id, refund_id)
    group by repeated_refunds.org_id, repeated_refunds.webhook_refund_id
    having count(*) = count(reversed_refunds.refund_id)
),

uncounted as (
    select org_id, refund_id, 0 as remaining_micros from superseded_failures

    union all

    select org_id, refund_id, 0 as remaining_micros from repeated_refunds

    union all

    select org_id, refund_id, 0 as remaining_micros from payment_refunds where reason = 'reversed'

    union all

    select org_id, refund_id, remaining_micros from reversed_refunds

    union all

    select org_id, refund_id, 0 as remaining_micros from reversed_webhook_refunds
),

final as (
    select
        org_id,
        refund_id,
        min(remaining_micros) as remaining_micros
    from uncounted
    group by org_id, refund_id
)

select * from final

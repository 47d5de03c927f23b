with

conversions as (
    select * from {{ ref('stg_raw__conversions') }}
    where payment_ids is not null and order_id is not null and value_micros > 0
),

refunds as (
    select * from {{ ref('stg_raw__refunds') }}
    where payment_ids is not null
),

order_keys as (
    select * from {{ ref('int_order_keys') }}
    where order_key is not null
),

keyed as (
    select
        refunds.*,
        order_keys.order_key
    from refunds
    inner join order_keys
        on refunds.org_id = order_keys.org_id
        and refunds.order_id = order_keys.order_id
        and coalesce(refunds.site_id, '') = order_keys.site_id
),

failures as (
    select * from keyed
    where lower(reason) = 'payment_failed'
),

split_failures as (
    {{ split_to_rows('failures', ['org_id', 'refund_id'], 'payment_ids', ' ') }}
),

failure_ids as (
    select
        org_id,
        refund_id,
        part,
        substring(part, 1, 3) in ('ch_', 'py_') as is_charge,
        bool_or(substring(part, 1, 3) in ('ch_', 'py_')) over (partition by org_id, refund_id) as has_charge
    from split_failures
),

-- A payment intent can have several charges, so it identifies the failed payment only if no charge does.
failed_ids as (
    select distinct
        org_id,
        part as payment_id
    from failure_ids
    where is_charge or not has_charge
),

split_payments as (
    {{ split_to_rows('conversions', ['org_id', 'conversion_id'], 'payment_ids', ' ') }}
),

failed_payments as (
    select distinct
        split_payments.org_id,
        split_payments.conversion_id
    from split_payments
    inner join failed_ids
        on split_payments.org_id = failed_ids.org_id
        and split_payments.part = failed_ids.payment_id
),

-- Another payment of the order, such as a second attempt, that did not fail.
paid_orders as (
    select distinct
        conversions.org_id,
        order_keys.order_key
    from conversions
    inner join order_keys
        on conversions.org_id = order_keys.org_id
        and conversions.order_id = order_keys.order_id
        and coalesce(conversions.site_id, '') = order_keys.site_id
    left join failed_payments
        on conversions.org_id = failed_payments.org_id
        and conversions.conversion_id = failed_payments.conversion_id
    where failed_payments.conversion_id is null
),

-- The balance report has the id of the refund, and the webhook charge.refunded does not. One refund has one amount in both, at
-- almost the same time.
stripe_refunds as (
    select
        org_id,
        refund_id,
        order_key,
        currency,
        abs(value_micros) as amount_micros,
        occurred_at,
        substring(refund_id, 1, 15) = 'stripe_balance:' as is_in_file
    from keyed
    where lower(reason) = 'refund'
        and value_micros <> 0
        and (substring(refund_id, 1, 15) = 'stripe_balance:' or substring(refund_id, 1, 7) = 'stripe:')
),

with_start as (
    select
        *,
        case
            when occurred_at <= {{ dbt.dateadd('hour', var('refund_match_hours'), 'lag(occurred_at) over equal_amounts') }} then 0
            else 1
        end as starts
    from stripe_refunds
    window equal_amounts as (
        partition by org_id, order_key, currency, amount_micros
        order by occurred_at, refund_id
    )
),

grouped as (
    select
        *,
        sum(starts) over (
            partition by org_id, order_key, currency, amount_micros
            order by occurred_at, refund_id
            rows unbounded preceding
        ) as match_group
    from with_start
),

numbered as (
    select
        *,
        row_number() over (
            partition by org_id, order_key, currency, amount_micros, match_group, is_in_file
            order by occurred_at, refund_id
        ) as number
    from grouped
),

-- Both have the id of a dispute.
disputes as (
    select
        org_id,
        refund_id,
        case
            when substring(refund_id, 1, 15) = 'stripe_balance:' then split_part(payment_ids, ' ', 1)
            else substring(refund_id, 8)
        end as source_id,
        substring(refund_id, 1, 15) = 'stripe_balance:' as is_in_file
    from keyed
    where lower(reason) = 'dispute'
        and (substring(refund_id, 1, 15) = 'stripe_balance:' or substring(refund_id, 1, 7) = 'stripe:')
),

repeated as (
    select
        file_refunds.org_id,
        file_refunds.refund_id,
        webhook_refunds.refund_id as webhook_refund_id
    from numbered as file_refunds
    inner join numbered as webhook_refunds using (org_id, order_key, currency, amount_micros, match_group, number)
    where file_refunds.is_in_file and not webhook_refunds.is_in_file

    union all

    select
        file_disputes.org_id,
        file_disputes.refund_id,
        webhook_disputes.refund_id as webhook_refund_id
    from disputes as file_disputes
    inner join disputes as webhook_disputes using (org_id, source_id)
    where file_disputes.is_in_file and not webhook_disputes.is_in_file
),

-- Money that came back: Stripe withdrew it for a refund or a dispute with this id. It can withdraw it again.
reversals as (
    select
        org_id,
        refund_id,
        split_part(payment_ids, ' ', 1) as source_id
    from refunds
    where lower(reason) = 'reversed'
),

withdrawals as (
    select
        org_id,
        refund_id,
        split_part(payment_ids, ' ', 1) as source_id,
        row_number() over (
            partition by org_id, split_part(payment_ids, ' ', 1)
            order by occurred_at, refund_id
        ) as number
    from refunds
    where lower(reason) in ('refund', 'dispute') and substring(refund_id, 1, 15) = 'stripe_balance:'
),

reversal_counts as (
    select
        org_id,
        source_id,
        count(*) as reversals
    from reversals
    group by org_id, source_id
),

reversed as (
    select
        withdrawals.org_id,
        withdrawals.refund_id
    from withdrawals
    inner join reversal_counts using (org_id, source_id)
    where withdrawals.number <= reversal_counts.reversals
),

final as (
    select
        failures.org_id,
        failures.refund_id
    from failures
    inner join paid_orders using (org_id, order_key)

    union

    select org_id, refund_id from repeated

    union

    select org_id, refund_id from reversals

    union

    select org_id, refund_id from reversed

    union

    -- A dispute can have several withdrawals.
    select
        repeated.org_id,
        repeated.webhook_refund_id as refund_id
    from repeated
    left join reversed
        on repeated.org_id = reversed.org_id
        and repeated.refund_id = reversed.refund_id
    group by repeated.org_id, repeated.webhook_refund_id
    having count(*) = count(reversed.refund_id)
)

select * from final

{#- A view: only int_uncounted_refunds reads it. -#}
{{ config(materialized='view') }}

with

payment_refunds as (
    select * from {{ ref('int_payment_refunds') }}
    where source in ('stripe_balance', 'stripe') and order_key is not null
),

reports as (
    select
        *,
        source = 'stripe_balance' as is_in_file
    from payment_refunds
),

-- The balance report has the id of the refund, and the webhook charge.refunded does not. One refund has one amount in both, at
-- almost the same time.
with_start as (
    select
        *,
        case
            when occurred_at <= {{ dbt.dateadd('hour', var('refund_match_hours'), 'lag(occurred_at) over equal_amounts') }} then 0
            else 1
        end as starts
    from reports
    where reason = 'refund' and amount_micros <> 0
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

refunds as (
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
        case when is_in_file then source_id else substring(refund_id, 8) end as dispute_id,
        is_in_file
    from reports
    where reason = 'dispute'
),

final as (
    select
        file_refunds.org_id,
        file_refunds.refund_id,
        webhook_refunds.refund_id as webhook_refund_id
    from refunds as file_refunds
    inner join refunds as webhook_refunds using (org_id, order_key, currency, amount_micros, match_group, number)
    where file_refunds.is_in_file and not webhook_refunds.is_in_file

    union all

    select
        file_disputes.org_id,
        file_disputes.refund_id,
        webhook_disputes.refund_id as webhook_refund_id
    from disputes as file_disputes
    inner join disputes as webhook_disputes using (org_id, dispute_id)
    where file_disputes.is_in_file and not webhook_disputes.is_in_file
)

select * from final

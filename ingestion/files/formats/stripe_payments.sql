-- Stripe: the payments export, unified or of an older Dashboard.
-- source: https://docs.stripe.com/reports/unified-payments-report
-- source: https://docs.stripe.com/payments/dashboard-transactions
-- export: Transactions (or Payments), Export, columns: All.
-- kind: conversions, refunds
-- required: id = id
-- required: created = Created date (UTC) | Created (UTC)
-- required: amount = Amount
-- required: currency = Currency
-- required: status = Status
-- optional: refunded_amount = Amount Refunded
-- optional: refunded_at = Refunded date (UTC) | Refunded (UTC)
-- optional: dispute_status = Dispute Status
-- optional: disputed_amount = Disputed Amount
-- optional: disputed_at = Disputed date (UTC) | Dispute Date (UTC) | Disputed (UTC)
-- optional: captured = Captured
-- optional: mode = Mode
-- optional: description = Description
-- optional: payment_intent = PaymentIntent ID | Payment Intent ID | payment_intent_id
-- optional: invoice = Invoice ID
-- optional: session = Checkout Session ID
-- optional: client_reference = Client Reference ID
-- optional: email = Customer Email | Email
-- optional: metadata_order_id = order_id (metadata) | orderId (metadata)
-- optional: metadata_user_id = user_id (metadata)
-- optional: metadata_anon_id = anon_id (metadata)
-- timezone: UTC
--
-- Amounts are decimals in every currency, JPY included. Only live payments that took money count: none that failed, wait,
-- are incomplete or not captured. A disputed payment counts, as in the webhooks, and a lost dispute is a refund.
-- order_id, visitor and customer are those of the webhooks (docs/webhooks.md), and payment_ids connect both: a payment that
-- a webhook reports, too, is one order. Stripe's customer is no customer, because a guest is a new one with each payment.
with payments as (
    select
        *,
        lower(replace(status, '_', ' ')) as state,
        coalesce(metadata_order_id, payment_intent, id) as order_id,
        concat_ws(' ', id, payment_intent, invoice, session) as payment_ids
    from source
    where coalesce(lower(mode), 'live') <> 'test' and coalesce(lower(captured), 'true') <> 'false'
),

classified as (
    select
        *,
        regexp_matches(state, '^(paid|succeeded|complete|(partially |partial )?refund|disput|won|lost)') as is_paid,
        coalesce(regexp_matches(lower(dispute_status), '^lost\b'), false) or regexp_matches(state, '^(dispute )?lost\b') as is_lost,
        regexp_matches(state, '^(fail|pending|cancel|block|uncaptured|incomplete|requires|expired|processing|open|early)')
            as is_unpaid
    from payments
)

select
    _row,
    'conversions' as _kind,
    if(is_paid, null, 'the status of the payment is none of Stripe''s: was the file edited?') as _reject,
    order_id,
    created as occurred_at,
    -- As in the webhooks: later payments of a subscription are no purchases.
    if(description = 'Subscription update', 'renewal', 'purchase') as conversion_type,
    amount as value,
    currency,
    coalesce(metadata_anon_id, client_reference) as visitor_id,
    metadata_user_id as customer_id,
    payment_ids,
    email as email_hash
from classified
where not is_unpaid

union all by name

-- The time is that of the last refund, or of the payment if the file has none.
select
    _row,
    'refunds' as _kind,
    order_id,
    coalesce(refunded_at, created) as occurred_at,
    refunded_amount as refunded_total,
    currency,
    amount as order_value,
    payment_ids
from classified
where is_paid and (regexp_matches(refunded_amount, '[1-9]') or (refunded_amount is null and state = 'refunded'))

union all by name

select
    _row,
    'refunds' as _kind,
    order_id,
    coalesce(disputed_at, created) as occurred_at,
    if(regexp_matches(disputed_amount, '[1-9]'), disputed_amount, amount) as refunded_total,
    currency,
    amount as order_value,
    'dispute' as reason,
    payment_ids
from classified
where is_paid and is_lost

-- Stripe: the itemized report `Balance change from activity`, and the older export of all balance transactions.
-- source: https://docs.stripe.com/reports/report-types/balance#schema-itemized-balance-change-from-activity
-- source: https://docs.stripe.com/reports/reporting-categories
-- export: Reports, Balance, Balance change from activity, Download, Itemized; or Balances, All activity, Export.
-- kind: conversions, refunds
-- required: id = balance_transaction_id | id
-- required: category = reporting_category | Type
-- required: gross = gross | Amount
-- required: fee = fee
-- required: net = net
-- required: currency = currency
-- optional: created_utc = created_utc | Created (UTC)
-- optional: created = created
-- optional: source = source_id | Source
-- optional: description = description
-- optional: paid_amount = customer_facing_amount
-- optional: paid_currency = customer_facing_currency
-- optional: charge = charge_id
-- optional: payment_intent = payment_intent_id
-- optional: invoice = invoice_id
-- optional: email = customer_email
-- optional: metadata_order_id = payment_metadata[order_id] | order_id (metadata)
-- optional: metadata_user_id = payment_metadata[user_id] | user_id (metadata)
-- optional: metadata_anon_id = payment_metadata[anon_id] | anon_id (metadata)
--
-- Charges are orders and refunds are refunds. A dispute is a refund when Stripe withdraws its money. A reversal of a dispute and
-- a failed refund return the money. Fees, payouts and transfers are neither.
-- Stripe writes the charge of a direct debit when it submits the debit. If the bank rejects it later, another line cancels
-- the order. payment_ids of that line name the charge, because a second attempt has the same payment intent. A debit that the
-- bank takes back after it was paid (payment_reversal) is a refund.
-- gross is in the currency of the account, and the amount that the customer paid is its presentment. A refund is negative and
-- in the currency that the customer paid, as in the webhooks, because the rate of the refund is not that of the charge.
-- order_id, visitor and customer are those of the webhooks, and payment_ids connect both (docs/webhooks.md). A report
-- without the columns of the charge and the payment intent names the order of no refund: choose these columns.
with activity as (
    select
        *,
        -- The older export names the charge of a dispute in the description only.
        case
            when charge is null and lower(category) in ('dispute', 'dispute_reversal', 'adjustment')
                then nullif(regexp_extract(description, '\b(?:ch|py)_[^\s(),.;]+'), '')
            else charge
        end as charge_id,
        coalesce(metadata_order_id, payment_intent, charge_id, source) as order_id,
        nullif(concat_ws(' ', source, charge_id, payment_intent, invoice), '') as payment_ids,
        case
            when lower(category) in ('charge_failure', 'payment_failure_refund') then 'payment_failed'
            when lower(category) in ('dispute_reversal', 'refund_failure') then 'reversed'
            when lower(category) = 'dispute' then 'dispute'
            when lower(category) = 'adjustment' and regexp_matches(description, '(?i)^chargeback reversal|refund failure')
                then 'reversed'
            when lower(category) = 'adjustment' and regexp_matches(description, '(?i)^chargeback withdrawal') then 'dispute'
        end as reason,
        upper(paid_currency) is distinct from upper(currency) as is_converted,
        lower(category) in ('charge', 'payment') as is_charge,
        lower(category) = 'partial_capture_reversal' as is_release
    from source
),

captures as (
    select
        *,
        bool_or(is_charge) over charge_lines as has_charge,
        string_agg(ltrim(gross, '-'), ' + ') filter (is_release) over charge_lines as released,
        string_agg(ltrim(paid_amount, '-'), ' + ') filter (is_release) over charge_lines as paid_released
    from activity
    window charge_lines as (partition by coalesce(charge_id, source))
)

select
    _row,
    'conversions' as _kind,
    if(created_utc is null, null, 'UTC') as _timezone,
    order_id,
    coalesce(created_utc, created) as occurred_at,
    -- As in the webhooks: later payments of a subscription are no purchases.
    if(description = 'Subscription update', 'renewal', 'purchase') as conversion_type,
    remaining_amount(gross, released) as value,
    currency,
    if(is_converted, remaining_amount(paid_amount, paid_released), null) as presentment_value,
    if(is_converted, paid_currency, null) as presentment_currency,
    metadata_anon_id as visitor_id,
    metadata_user_id as customer_id,
    payment_ids,
    email as email_hash
from captures
where is_charge

union all by name

select
    _row,
    'refunds' as _kind,
    if(created_utc is null, null, 'UTC') as _timezone,
    if(is_release, 'the charge of this uncaptured part is not in the file: import a report with both, and with charge_id', null) as _reject,
    'stripe_balance:' || id as refund_id,
    order_id,
    coalesce(created_utc, created) as occurred_at,
    ltrim(if(is_converted, coalesce(paid_amount, gross), gross), '-') as value,
    if(is_converted and paid_amount is not null, paid_currency, currency) as currency,
    payment_ids
from captures
where lower(category) in ('refund', 'payment_refund', 'payment_reversal') or (is_release and not has_charge)

union all by name

select
    _row,
    'refunds' as _kind,
    if(created_utc is null, null, 'UTC') as _timezone,
    'stripe_balance:' || id as refund_id,
    order_id,
    coalesce(created_utc, created) as occurred_at,
    ltrim(gross, '-') as value,
    currency,
    reason,
    payment_ids
from activity
where reason is not null

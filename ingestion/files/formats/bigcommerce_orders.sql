-- BigCommerce: the orders export, template Default or Bulk Edit.
-- source: https://support.bigcommerce.com/s/article/Exporting-Orders
-- export: Orders, Export all orders, Default, CSV.
-- kind: conversions, refunds
-- required: id = Order ID
-- required: date = Order Date | Date Created
-- required: total = Order Total (inc tax) | Total Inc Tax
-- required: status = Order Status | Status
-- optional: time = Order Time
-- optional: currency = Order Currency Code | Currency Code
-- optional: refunded = Refund Amount | Refunded Amount
-- optional: customer_id = Customer ID
-- optional: email = Customer Email | Billing Email
-- optional: transaction = Transaction ID | Payment Provider ID
--
-- Times are in the zone of the store: import the file with --timezone. Newer files have the day only.
-- customer_id is the number of the customer in this shop: give each shop an org of its own.
-- An order counts if it is paid: awaiting fulfillment, shipped, completed, refunded and the like. A row of another status,
-- such as one that the shop renamed, fails. A disputed order counts, as a disputed payment of Stripe does.
select
    _row,
    unnest(
        rows_of_order(
            id, concat_ws(' ', date, time), status_of_order(status), status, total, currency, refunded,
            customer_id := customer_id,
            email_hash := email,
            payment_ids := payment_id(transaction)
        ),
        max_depth := 2
    )
from source

/*
title: Coverage of ids
description: How complete the data of the period is. Shares of touches concern those of a paid channel or an ad platform.
uses: [period]
columns:
  matched_share: {title: Ad touches with campaign, unit: percent, description: "Touches of paid channels whose campaign a platform reported."}
  click_id_share: {title: Ad touches with click id, unit: percent, description: "Touches of paid channels with gclid, fbclid or another click id. Affiliates and views have none."}
  known_source_share: {title: Sessions with a source, unit: percent, description: Sessions that are not Direct.}
  attributed_share: {title: Conversions with a touch, unit: percent, description: Conversions with at least one touch in the main window.}
  order_id_share: {title: Conversions with order id, unit: percent, description: Order ids find duplicates and refunds.}
  customer_id_share: {title: Conversions with customer id, unit: percent, description: Customer ids join the devices of a person.}
*/
with ads as (
    select
        count(*) as touches,
        count(*) filter (where campaign_id is not null and campaign_match not in ('declared', 'none')) as matched,
        count(click_id) as with_click_id
    from touchpoints, period
    where occurred_at >= starts_at and occurred_at < ends_at
        and (starts_with(channel, 'Paid') or channel in ('Display', 'Affiliates'))
),

visits as (
    select count(*) as sessions, count(*) filter (where channel <> 'Direct') as known_source
    from sessions
    where date between $from and $to
),

orders as (
    select
        count(*) as orders,
        count(order_id) as with_order_id,
        count(customer_id) as with_customer_id,
        count(*) filter (where conversion_id in (select conversion_id from conversion_touches)) as with_touch
    from conversions
    where date between $from and $to and conversion_type = $conversion_type
)

select
    matched / nullif(touches, 0) as matched_share,
    with_click_id / nullif(touches, 0) as click_id_share,
    known_source / nullif(sessions, 0) as known_source_share,
    with_touch / nullif(orders, 0) as attributed_share,
    with_order_id / nullif(orders, 0) as order_id_share,
    with_customer_id / nullif(orders, 0) as customer_id_share
from ads, visits, orders

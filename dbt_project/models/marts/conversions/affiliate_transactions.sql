with

transactions as (
    select * from {{ ref('int_affiliate_transactions') }}
),

conversions as (
    select * from {{ ref('int_counted_conversions') }}
),

order_keys as (
    select * from {{ ref('int_order_keys') }}
),

touchpoints as (
    select * from {{ ref('touchpoints') }}
    where click_id is not null
),

conversion_touches as (
    select * from {{ ref('conversion_touches') }}
),

by_order as (
    select
        org_id,
        order_key,
        min_by(conversion_id, case when conversion_type = 'purchase' then '0' else '1' end || conversion_id) as conversion_id
    from conversions
    where order_key is not null
    group by org_id, order_key
),

clicks as (
    select distinct
        org_id,
        click_id
    from transactions
    where click_id is not null
),

-- The first conversion after the click.
by_click as (
    select
        touchpoints.org_id,
        touchpoints.click_id,
        min_by(
            conversions.conversion_id,
            cast(conversions.occurred_at as {{ dbt.type_string() }}) || ' ' || conversions.conversion_id
        ) as conversion_id
    from clicks
    inner join touchpoints using (org_id, click_id)
    inner join conversion_touches using (org_id, touchpoint_id)
    inner join conversions using (org_id, conversion_id)
    group by touchpoints.org_id, touchpoints.click_id
),

final as (
    select
        transactions.org_id,
        transactions.platform,
        transactions.transaction_id,
        transactions.status,
        transactions.occurred_at,
        transactions.date,
        transactions.account_id,
        transactions.campaign_id,
        transactions.campaign,
        transactions.affiliate_id,
        transactions.affiliate,
        transactions.order_id,
        transactions.click_id,
        coalesce(by_order.conversion_id, by_click.conversion_id) as conversion_id,
        transactions.payout_micros,
        transactions.value_micros,
        transactions.original_payout_micros,
        transactions.original_value_micros,
        transactions.original_currency,
        transactions.postbacks
    from transactions
    left join order_keys
        on {{ named_order('transactions') }}
    left join by_order
        on transactions.org_id = by_order.org_id
        and order_keys.order_key = by_order.order_key
    left join by_click
        on transactions.org_id = by_click.org_id
        and transactions.click_id = by_click.click_id
)

select * from final
order by org_id, date, platform, transaction_id

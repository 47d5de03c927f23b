{#- Two rounds connect the reports of a usual payment, and eight connect a chain of 400 orders. A round without groups to join is fast. -#}
{%- set rounds = 8 -%}
with

names as (
    select * from {{ ref('int_order_names') }}
),

order_payments as (
    select * from {{ ref('int_order_payments') }}
    where not is_subscription
),

orders as (
    select distinct
        org_id,
        order_key
    from names
    where has_order and order_key is not null
),

paid_orders as (
    select
        order_payments.org_id,
        order_payments.order_key,
        order_payments.payment_id
    from order_payments
    inner join orders using (org_id, order_key)
),

shared_payments as (
    select
        org_id,
        payment_id,
        min(order_key) as smallest_key
    from paid_orders
    group by org_id, payment_id
    having min(order_key) <> max(order_key)
),

links_0 as (
    select
        org_id,
        payment_id,
        order_key,
        shared_payments.smallest_key
    from paid_orders
    inner join shared_payments using (org_id, payment_id)
),

groups_0 as (
    select
        org_id,
        order_key,
        min(smallest_key) as group_key
    from links_0
    group by org_id, order_key
),

{% for round in range(1, rounds + 1) -%}
{% set links = 'links_' ~ (round - 1) -%}
{% set groups = 'groups_' ~ (round - 1) -%}
payments_{{ round }} as (
    select
        {{ links }}.org_id,
        {{ links }}.payment_id,
        min({{ groups }}.group_key) as smallest_key,
        min({{ groups }}.group_key) <> max({{ groups }}.group_key) as is_between_groups
    from {{ links }}
    inner join {{ groups }} using (org_id, order_key)
    group by {{ links }}.org_id, {{ links }}.payment_id
),

-- A group joins the smallest group with which it shares a payment. A group that shares none is complete.
joins_{{ round }} as (
    select
        {{ groups }}.org_id,
        {{ groups }}.group_key,
        min(payments_{{ round }}.smallest_key) as smallest_key
    from payments_{{ round }}
    inner join {{ links }} using (org_id, payment_id)
    inner join {{ groups }} using (org_id, order_key)
    group by {{ groups }}.org_id, {{ groups }}.group_key
    having bool_or(payments_{{ round }}.is_between_groups)
),

joined_{{ round }} as (
    select
        {{ groups }}.org_id,
        {{ groups }}.order_key,
        joins_{{ round }}.smallest_key
    from {{ groups }}
    inner join joins_{{ round }} using (org_id, group_key)
),

-- A group has the key of an order, which may have joined a smaller group in this round.
groups_{{ round }} as (
    select
        joined.org_id,
        joined.order_key,
        roots.smallest_key as group_key
    from joined_{{ round }} as joined
    inner join joined_{{ round }} as roots
        on joined.org_id = roots.org_id
        and joined.smallest_key = roots.order_key
),

links_{{ round }} as (
    select {{ links }}.*
    from {{ links }}
    inner join groups_{{ round }} using (org_id, order_key)
),

{% endfor -%}

final as (
    select
        groups_0.org_id,
        groups_0.order_key,
        coalesce({% for round in range(rounds, -1, -1) %}groups_{{ round }}.group_key{{ ", " if not loop.last }}{% endfor %}) as group_key
    from groups_0
    {%- for round in range(1, rounds + 1) %}
    left join groups_{{ round }}
        on groups_0.org_id = groups_{{ round }}.org_id
        and groups_0.order_key = groups_{{ round }}.order_key
    {%- endfor %}
)

select * from final

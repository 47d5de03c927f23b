with

source as (
    select * from {{ source('raw', 'refunds') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

-- An org that leaves tributary.yaml keeps its raw rows but leaves the models.
final as (
    select
        source.org_id,
        source.refund_id,
        source.occurred_at,
        source.order_id,
        source.site_id,
        source.value_micros,
        source.currency,
        source.reason,
        source.order_value_micros,
        source.payment_ids,
        source.refunded_total_micros
    from source
    inner join orgs using (org_id)
)

select * from final

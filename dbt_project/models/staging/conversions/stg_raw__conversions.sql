with

source as (
    select * from {{ source('raw', 'conversions') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

-- An org that leaves tributary.yaml keeps its raw rows but leaves the models.
final as (
    select
        source.org_id,
        source.conversion_id,
        source.occurred_at,
        source.visitor_id,
        -- A webhook without a customer names the address, the order or the checkout instead. None of them is a customer.
        case
            when source.customer_id like 'email:%' then null
            when source.customer_id = 'order:' || source.order_id then null
            when source.conversion_id = 'stripe:' || source.customer_id then null
            else source.customer_id
        end as customer_id,
        source.site_id,
        source.conversion_type,
        source.value_micros,
        source.currency,
        source.order_id,
        source.presentment_value_micros,
        source.presentment_currency,
        source.payment_ids,
        coalesce(
            {{ json_text('source.properties', 'email_hash') }},
            case when source.customer_id like 'email:%' then substring(source.customer_id, 7) end
        ) as email_hash
    from source
    inner join orgs using (org_id)
)

select * from final

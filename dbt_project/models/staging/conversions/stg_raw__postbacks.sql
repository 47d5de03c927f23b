with

source as (
    select * from {{ source('raw', 'postbacks') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

-- An org that leaves tributary.yaml keeps its raw rows but leaves the models.
final as (
    select
        source.org_id,
        source.postback_id,
        source.occurred_at,
        source.platform,
        source.transaction_id,
        source.status,
        source.account_id,
        source.campaign_id,
        source.campaign,
        source.affiliate_id,
        source.affiliate,
        source.click_id,
        source.order_id,
        source.visitor_id,
        source.site_id,
        source.payout_micros,
        source.value_micros,
        source.currency
    from source
    inner join orgs using (org_id)
)

select * from final

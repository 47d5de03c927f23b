with

source as (
    select * from {{ source('raw', 'interactions') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

-- An org that leaves tributary.yaml keeps its raw rows but leaves the models.
final as (
    select
        source.org_id,
        source.interaction_id,
        source.occurred_at,
        source.visitor_id,
        -- A CRM's row with a record id and an address names no customer.
        case when source.customer_id not like 'email:%' or source.visitor_id is null then source.customer_id end as customer_id,
        case when source.customer_id like 'email:%' then substring(source.customer_id, 7) end as email_hash,
        source.site_id,
        source.touch_type,
        source.channel,
        source.platform,
        source.source,
        source.medium,
        source.campaign,
        source.content,
        source.term,
        source.campaign_id,
        source.adset_id,
        source.ad_id,
        source.creator_code
    from source
    inner join orgs using (org_id)
)

select * from final

with

source as (
    select * from {{ source('raw', 'survey_answers') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

-- An org that leaves tributary.yaml keeps its raw rows but leaves the models.
final as (
    select
        source.org_id,
        source.answer_id,
        source.occurred_at,
        source.question,
        source.answer,
        source.site_id,
        source.visitor_id,
        source.customer_id,
        source.order_id
    from source
    inner join orgs using (org_id)
)

select * from final

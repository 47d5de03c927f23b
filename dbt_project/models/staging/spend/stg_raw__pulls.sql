with

source as (
    select * from {{ source('raw', 'pulls') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

final as (
    select
        source.pull_id,
        source.org_id,
        source.platform,
        source.account_id,
        source.start_date,
        source.end_date,
        source.started_at,
        source.finished_at,
        source.status,
        source.reason,
        source.rows as row_count,
        source.spend_micros,
        source.account_spend_micros,
        source.currency,
        source._load_id as load_id
    from source
    inner join orgs using (org_id)
)

select * from final

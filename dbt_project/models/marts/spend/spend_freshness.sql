with

pulls as (
    select * from {{ ref('stg_raw__pulls') }}
),

ad_spend as (
    select * from {{ ref('stg_raw__ad_spend') }}
),

ad_accounts as (
    select * from {{ ref('stg_raw__ad_accounts') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

-- The newest load stands for the present, so that the same rows give the same verdict whenever they are built.
present as (
    select max(moment) as latest_at
    from (
        select max(loaded_at) as moment from {{ ref('stg_raw__loads') }}

        union all

        select max(finished_at) as moment from pulls
    ) as moments
),

spend as (
    select
        ad_spend.org_id,
        ad_spend.platform,
        ad_spend.account_id,
        max(
            case
                when ad_spend.spend_micros <> 0
                    and ad_spend.date <= coalesce({{ dbt.dateadd('day', 1, 'cast(present.latest_at as date)') }}, ad_spend.date)
                    then ad_spend.date
            end
        ) as last_day
    from ad_spend
    cross join present
    group by ad_spend.org_id, ad_spend.platform, ad_spend.account_id
),

ranked_pulls as (
    select
        org_id,
        platform,
        account_id,
        pull_id,
        status,
        finished_at,
        reason,
        row_number() over (partition by org_id, platform, account_id order by finished_at desc, pull_id desc) as recency
    from pulls
),

latest_pulls as (
    select * from ranked_pulls
    where recency = 1
),

-- A partial pull can lack any of its days, so it covers none.
pulled as (
    select
        org_id,
        platform,
        account_id,
        max(case when status <> 'failed' then finished_at end) as last_pulled_at,
        max(case when status = 'loaded' then end_date end) as covered_until
    from pulls
    group by org_id, platform, account_id
),

accounts as (
    select
        org_id,
        platform,
        account_id
    from ad_accounts

    union

    select
        org_id,
        platform,
        account_id
    from spend

    union

    select
        org_id,
        platform,
        account_id
    from pulled
),

final as (
    select
        accounts.org_id,
        accounts.platform,
        accounts.account_id,
        ad_accounts.name,
        coalesce(ad_accounts.timezone, orgs.timezone) as timezone,
        spend.last_day,
        pulled.last_pulled_at,
        pulled.covered_until,
        latest_pulls.status as last_status,
        latest_pulls.finished_at as last_tried_at,
        latest_pulls.reason as last_failure_reason,
        -- Only a pulled account can be overdue: files come at no fixed time, and an account that left tributary.yaml ends.
        latest_pulls.pull_id is not null
            and ad_accounts.account_id is not null
            and coalesce(
                pulled.covered_until < {{ dbt.dateadd(
                    'day', -1,
                    reporting_date(
                        dbt.dateadd('hour', '-' ~ var('spend_pull_grace_hours'), 'present.latest_at'),
                        'coalesce(ad_accounts.timezone, orgs.timezone)',
                    ),
                ) }},
                true
            ) as is_stale
    from accounts
    inner join orgs using (org_id)
    cross join present
    left join ad_accounts using (org_id, platform, account_id)
    left join spend using (org_id, platform, account_id)
    left join pulled using (org_id, platform, account_id)
    left join latest_pulls using (org_id, platform, account_id)
)

select * from final
order by org_id, platform, account_id

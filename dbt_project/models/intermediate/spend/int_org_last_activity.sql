with

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

-- Nothing can have happened later than a day after the newest load. Rows from such days are mistakes, which imports
-- reject now, and did not always.
present as (
    select {{ dbt.dateadd('day', 1, 'cast(max(loaded_at) as date)') }} as last_possible_day
    from {{ ref('stg_raw__loads') }}
),

latest_moments as (
    {%- for table in ['events', 'interactions', 'conversions'] %}
    select
        reported.org_id,
        max(reported.occurred_at) as occurred_at
    from {{ ref('stg_raw__' ~ table) }} as reported
    cross join present
    where cast(reported.occurred_at as date) <= coalesce(present.last_possible_day, cast(reported.occurred_at as date))
    group by reported.org_id
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

latest_days as (
    select
        latest_moments.org_id,
        {{ reporting_date('latest_moments.occurred_at', 'orgs.timezone') }} as date
    from latest_moments
    inner join orgs using (org_id)

    union all

    select
        ad_spend.org_id,
        max(ad_spend.date) as date
    from {{ ref('stg_raw__ad_spend') }} as ad_spend
    cross join present
    where ad_spend.date <= coalesce(present.last_possible_day, ad_spend.date)
    group by ad_spend.org_id
),

final as (
    select
        org_id,
        max(date) as last_date
    from latest_days
    group by org_id
)

select * from final

with

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

latest_moments as (
    {%- for table in ['events', 'interactions', 'conversions'] %}
    select
        org_id,
        max(occurred_at) as occurred_at
    from {{ ref('stg_raw__' ~ table) }}
    group by org_id
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
        org_id,
        max(date) as date
    from {{ ref('stg_raw__ad_spend') }}
    group by org_id
),

final as (
    select
        org_id,
        max(date) as last_date
    from latest_days
    group by org_id
)

select * from final

{%- set name = 'partition by org_id, platform, name' -%}
with

campaign_match_keys as (
    select * from {{ ref('int_campaign_match_keys') }}
    where match_key_type = 'name'
),

spend as (
    select
        org_id,
        platform,
        campaign_id,
        campaign,
        min(date) as first_date,
        max(date) as last_date
    from {{ ref('int_spend_reports') }}
    where campaign is not null
    group by org_id, platform, campaign_id, campaign
),

spend_days as (
    select
        org_id,
        platform,
        campaign_id,
        {{ name_key('campaign') }} as name,
        min(first_date) as first_date,
        max(last_date) as last_date
    from spend
    group by org_id, platform, campaign_id, {{ name_key('campaign') }}
),

names as (
    select
        campaign_match_keys.org_id,
        campaign_match_keys.platform,
        campaign_match_keys.match_key as name,
        campaign_match_keys.campaign_id,
        spend_days.first_date,
        spend_days.last_date,
        count(*) over (
            partition by campaign_match_keys.org_id, campaign_match_keys.platform, campaign_match_keys.match_key
        ) as campaigns
    from campaign_match_keys
    left join spend_days
        on campaign_match_keys.org_id = spend_days.org_id
        and campaign_match_keys.platform = spend_days.platform
        and campaign_match_keys.campaign_id = spend_days.campaign_id
        and campaign_match_keys.match_key = spend_days.name
),

-- A campaign without spend under the name gets no day of a name that several campaigns have.
shared as (
    select * from names
    where campaigns > 1 and first_date is not null
),

-- A period begins with each first day of a campaign, and after each last day.
starts as (
    select
        org_id,
        platform,
        name,
        first_date as valid_from
    from shared

    union

    select
        org_id,
        platform,
        name,
        cast({{ dbt.dateadd('day', 1, 'last_date') }} as date) as valid_from
    from shared
),

periods as (
    select
        *,
        lead(valid_from) over ({{ name }} order by valid_from) as valid_until
    from starts
),

-- In a pause, the name belongs to the campaign that had it last.
candidates as (
    select
        periods.*,
        shared.campaign_id,
        least(shared.last_date, periods.valid_from) as last_date,
        max(least(shared.last_date, periods.valid_from)) over (
            partition by periods.org_id, periods.platform, periods.name, periods.valid_from
        ) as latest_date
    from periods
    inner join shared using (org_id, platform, name)
    where shared.first_date <= periods.valid_from
),

by_day as (
    select
        org_id,
        platform,
        name,
        valid_from,
        valid_until,
        case when min(campaign_id) = max(campaign_id) then min(campaign_id) end as campaign_id
    from candidates
    where last_date = latest_date
    group by org_id, platform, name, valid_from, valid_until
),

unioned as (
    select
        org_id,
        platform,
        name,
        cast(null as date) as valid_from,
        cast(null as date) as valid_until,
        campaign_id
    from names
    where campaigns = 1

    union all

    select
        org_id,
        platform,
        name,
        valid_from,
        valid_until,
        campaign_id
    from by_day

    union all

    -- Before the first day the name means no campaign, but the touches of that time need a row.
    select
        org_id,
        platform,
        name,
        cast(null as date) as valid_from,
        min(valid_from) as valid_until,
        cast(null as {{ dbt.type_string() }}) as campaign_id
    from by_day
    group by org_id, platform, name
),

final as (
    select
        *,
        min(platform) over (partition by org_id, name) = max(platform) over (partition by org_id, name) as is_on_one_platform
    from unioned
)

select * from final

{#- One sending to one person, between two conversions. -#}
{%- set sending = 'partition by org_id, person_key, campaign_key, conversions_before' -%}
{%- set chain = sending ~ ', chain' -%}
with

touchpoints as (
    select * from {{ ref('int_touchpoints') }}
),

conversions as (
    select * from {{ ref('int_counted_conversions') }}
),

-- A genuine report must not disappear with the visit of a scanner.
excluded_touches as (
    select distinct
        org_id,
        touchpoint_id
    from {{ ref('int_suspicious_touches') }}
    where is_excluded
),

reports as (
    select
        touchpoints.org_id,
        touchpoints.person_key,
        touchpoints.touchpoint_id,
        touchpoints.occurred_at,
        case
            when touchpoints.session_id is not null or touchpoints.landing_url is not null then 'visit'
            else touchpoints.touch_type
        end as step,
        coalesce({{ name_key('touchpoints.campaign') }}, '') as campaign_key
    from touchpoints
    left join excluded_touches using (org_id, touchpoint_id)
    where excluded_touches.touchpoint_id is null
        and lower(touchpoints.channel) = 'email'
        and touchpoints.touch_type in ('email', 'click', 'visit')
),

reports_and_conversions as (
    select
        org_id,
        person_key,
        touchpoint_id,
        occurred_at,
        step,
        campaign_key,
        0 as is_conversion
    from reports

    union all

    select
        conversions.org_id,
        conversions.person_key,
        conversions.conversion_id as touchpoint_id,
        conversions.occurred_at,
        'conversion' as step,
        '' as campaign_key,
        1 as is_conversion
    from conversions
    inner join (select distinct org_id, person_key from reports) as readers using (org_id, person_key)
),

-- A conversion separates touches. Otherwise a report before it could merge into a visit after it and lose its credit.
counted as (
    select
        *,
        sum(is_conversion) over (
            partition by org_id, person_key
            order by occurred_at, is_conversion
            rows unbounded preceding
        ) as conversions_before
    from reports_and_conversions
),

with_gap as (
    select
        *,
        case
            when occurred_at <= {{ dbt.dateadd('minute', var('email_merge_minutes'), 'lag(occurred_at) over sending') }} then 0
            else 1
        end as is_after_gap
    from counted
    where is_conversion = 0
    window sending as ({{ sending }} order by occurred_at, touchpoint_id)
),

chained as (
    select
        *,
        row_number() over ({{ sending }} order by occurred_at, touchpoint_id) as place,
        sum(is_after_gap) over ({{ sending }} order by occurred_at, touchpoint_id rows unbounded preceding) as chain
    from with_gap
),

with_step as (
    select
        *,
        case when step = 'visit' then touchpoint_id end as visit_id,
        case when step = 'visit' then place end as visit_place,
        case when step = 'click' then touchpoint_id end as click_id,
        case when step = 'click' then place end as click_place
    from chained
),

-- A report belongs to the next visit, else to the visit before it, else to the first click, else to the first open.
with_touch as (
    select
        *,
        coalesce(
            min_by(visit_id, visit_place) over from_here,
            max_by(visit_id, visit_place) over until_here,
            min_by(click_id, click_place) over whole_chain,
            min_by(touchpoint_id, place) over whole_chain
        ) as merged_into
    from with_step
    window
        whole_chain as ({{ chain }}),
        until_here as ({{ chain }} order by place rows between unbounded preceding and current row),
        from_here as ({{ chain }} order by place rows between current row and unbounded following)
),

-- A view leads to a click on the same ad, or on the same campaign where one of them names no ad.
views_with_click as (
    select
        views.org_id,
        views.touchpoint_id,
        clicks.touchpoint_id as merged_into,
        row_number() over (
            partition by views.org_id, views.touchpoint_id
            order by clicks.occurred_at, clicks.touchpoint_id
        ) as click_number
    from touchpoints as views
    inner join touchpoints as clicks
        on views.org_id = clicks.org_id
        and views.person_key = clicks.person_key
        and views.platform = clicks.platform
        and views.campaign_id = clicks.campaign_id
        and (views.ad_id = clicks.ad_id or views.ad_id is null or clicks.ad_id is null)
        and clicks.touch_type in ('click', 'visit')
        and clicks.occurred_at between views.occurred_at and {{ dbt.dateadd('minute', var('view_merge_minutes'), 'views.occurred_at') }}
    left join excluded_touches
        on clicks.org_id = excluded_touches.org_id
        and clicks.touchpoint_id = excluded_touches.touchpoint_id
    left join conversions
        on views.org_id = conversions.org_id
        and views.person_key = conversions.person_key
        and conversions.occurred_at >= views.occurred_at
        and conversions.occurred_at < clicks.occurred_at
    where views.touch_type = 'view'
        and excluded_touches.touchpoint_id is null
        and conversions.conversion_id is null
),

final as (
    select
        org_id,
        touchpoint_id,
        merged_into
    from with_touch
    where merged_into <> touchpoint_id

    union all

    select
        org_id,
        touchpoint_id,
        merged_into
    from views_with_click
    where click_number = 1
)

select * from final

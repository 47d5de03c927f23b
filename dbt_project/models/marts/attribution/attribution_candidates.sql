{#- A view: the table would have every touch of a person for every conversion, and readers ask for one conversion at a time. -#}
{{ config(materialized='view') }}

{%- set columns = [
    'org_id', 'touchpoint_id', 'person_key', 'occurred_at', 'touch_type', 'channel', 'platform', 'campaign', 'campaign_id',
] %}

with

conversions as (
    select * from {{ ref('conversions') }}
),

touchpoints as (
    select
        {{ columns | join(',\n        ') }},
        is_direct,
        cast(null as {{ dbt.type_string() }}) as merged_into
    from {{ ref('touchpoints') }}

    union all

    select
        {{ columns | join(',\n        ') }},
        false as is_direct,
        merged_into
    from {{ ref('merged_touches') }}
),

orgs as (
    select * from {{ ref('orgs') }}
),

conversion_touches as (
    select * from {{ ref('conversion_touches') }}
),

touch_type_windows as (
    select * from {{ ref('touch_type_windows') }}
),

excluded_touches as (
    select distinct
        org_id,
        touchpoint_id
    from {{ ref('suspicious_touches') }}
    where is_excluded
),

final as (
    select
        conversions.org_id,
        conversions.conversion_id,
        conversions.conversion_type,
        touchpoints.touchpoint_id,
        touchpoints.occurred_at,
        touchpoints.touch_type,
        touchpoints.channel,
        touchpoints.platform,
        touchpoints.campaign,
        touchpoints.campaign_id,
        {{ days_between('touchpoints.occurred_at', 'conversions.occurred_at') }} as days_before_conversion,
        conversion_touches.position,
        conversion_touches.touchpoint_id is not null as is_kept,
        case
            when conversion_touches.touchpoint_id is not null then 'kept'
            when touchpoints.merged_into is not null then 'merged'
            when excluded_touches.touchpoint_id is not null then 'suspicious'
            when touchpoints.occurred_at > conversions.occurred_at and conversions.touches <> 'all' then 'after_conversion'
            when touchpoints.occurred_at <= conversions.touches_after then 'before_previous_conversion'
            when touchpoints.is_direct and orgs.direct <> 'include' and touchpoints.occurred_at
                >= conversions.occurred_at - interval '24 hours' * coalesce(touch_type_windows.lookback_days, conversions.lookback_days) then 'direct'
            else 'outside_lookback_window'
        end as reason,
        touchpoints.merged_into
    from conversions
    inner join touchpoints using (org_id, person_key)
    left join orgs using (org_id)
    left join conversion_touches using (org_id, conversion_id, touchpoint_id)
    left join excluded_touches using (org_id, touchpoint_id)
    left join touch_type_windows using (org_id, touch_type)
)

select * from final

{# CTEs from `conversions`, `touchpoints`, `orgs`, `touch_type_windows` and `excluded_touches` to `with_windows`: the touches that can
   get credit for a conversion, and the windows in which they do. `journey`: the columns that identify a conversion. #}
{% macro journey_touches(journey) %}
paired as (
    select
        {{ 'conversions.' ~ journey | join(',\n        conversions.') }},
        conversions.conversion_type,
        conversions.date as conversion_date,
        conversions.value_micros,
        conversions.is_first_conversion,
        conversions.lookback_days,
        conversions.lead_at,
        orgs.direct,
        touchpoints.touchpoint_id,
        touchpoints.occurred_at,
        {{ reporting_date('touchpoints.occurred_at', 'orgs.timezone') }} as touch_date,
        touchpoints.touch_type,
        touchpoints.channel,
        touchpoints.platform,
        touchpoints.campaign_id,
        touchpoints.adset_id,
        touchpoints.ad_id,
        touchpoints.is_direct,
        {{ days_between('touchpoints.occurred_at', 'conversions.occurred_at') }} as days_before_conversion
    from conversions
    inner join orgs using (org_id)
    inner join touchpoints using (org_id, person_key)
    left join excluded_touches using (org_id, touchpoint_id)
    where excluded_touches.touchpoint_id is null
        and (touchpoints.occurred_at <= conversions.occurred_at or conversions.touches = 'all')
        and (touchpoints.occurred_at > conversions.touches_after or conversions.touches_after is null)
),

{{ touches_in_windows(journey) }}
{%- endmacro %}

{# CTEs from `paired` and `touch_type_windows` to `with_windows`: the touches of a journey that can get credit at its end, and the windows
   in which they do. `journey`: the columns that identify a journey. #}
{% macro touches_in_windows(journey) %}
-- The window of the touch's type replaces the org's, and shortens every other window.
in_reach as (
    select
        paired.*,
        coalesce(touch_type_windows.credit_percent, 100) as credit_percent,
        abs(paired.days_before_conversion) <= coalesce(touch_type_windows.lookback_days, paired.lookback_days) as is_recent
    from paired
    left join touch_type_windows using (org_id, touch_type)
    where abs(paired.days_before_conversion) <= coalesce(
        touch_type_windows.lookback_days, greatest(paired.lookback_days, {{ var('attribution_windows') | max }})
    )
),

-- Other: any touch that is not Direct. Only an org with a rule for Direct needs them.
others as (
    select
        {{ journey | join(',\n        ') }},
        min(abs(days_before_conversion)) as days_since_other,
        bool_or(is_recent) as has_recent_other,
        max_by(touchpoint_id, (-abs(days_before_conversion), occurred_at, touchpoint_id)) as last_other_id
    from in_reach
    where not is_direct and direct <> 'include'
    group by {{ journey | join(', ') }}
),

compared as (
    select
        in_reach.*,
        others.days_since_other,
        coalesce(others.has_recent_other, false) as has_recent_other,
        coalesce(in_reach.touchpoint_id = others.last_other_id, false) as is_last_other
    from in_reach
    left join others using ({{ journey | join(', ') }})
),

-- Direct gets credit by the org's policy. `exclude`: in windows without another touch. `last_resort`: if the person has no other
-- touch at all; else the last one takes its place, however old it is.
with_windows as (
    select
        *,
        case
            when direct = 'include' then is_recent
            when direct = 'exclude' then is_recent and not (is_direct and has_recent_other)
            when is_direct then is_recent and days_since_other is null
            else is_recent or (is_last_other and not has_recent_other)
        end as is_in_lookback_window,
        case
            when direct = 'last_resort' and is_last_other then 1
            else {{ window_number('abs(days_before_conversion)') }}
        end as first_window,
        case
            when direct = 'include' or not is_direct or days_since_other is null then {{ var('attribution_windows') | length + 1 }}
            when direct = 'exclude' then {{ window_number('days_since_other') }}
            else 0
        end as until_window
    from compared
)
{%- endmacro %}

{# Select the touches that get no credit: suspicious touches that the site excludes, and reports that are part of another touch. #}
{% macro touches_without_credit() -%}
    select
        org_id,
        touchpoint_id
    from {{ ref('int_suspicious_touches') }}
    where is_excluded

    union

    select
        org_id,
        touchpoint_id
    from {{ ref('int_merged_touches') }}
{%- endmacro %}

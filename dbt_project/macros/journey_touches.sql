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
        {{ days_between('touchpoints.occurred_at', 'conversions.occurred_at') }} as days_before_conversion,
        touch_type_windows.lookback_days as touch_type_days,
        coalesce(touch_type_windows.credit_percent, 100) as credit_percent
    from conversions
    inner join orgs using (org_id)
    inner join touchpoints using (org_id, person_key)
    left join touch_type_windows using (org_id, touch_type)
    left join excluded_touches using (org_id, touchpoint_id)
    where excluded_touches.touchpoint_id is null
        and (touchpoints.occurred_at <= conversions.occurred_at or conversions.touches = 'all')
        and (touchpoints.occurred_at > conversions.touches_after or conversions.touches_after is null)
),

-- The window of the touch's type replaces the org's, and shortens every other window.
in_reach as (
    select
        *,
        abs(days_before_conversion) <= coalesce(touch_type_days, lookback_days) as is_recent
    from paired
    where abs(days_before_conversion) <= coalesce(touch_type_days, greatest(lookback_days, {{ var('attribution_windows') | max }}))
),

-- Other: any touch that is not Direct. Only an org with a rule for Direct needs them.
others as (
    select
        org_id,
        conversion_id,
        touchpoint_id,
        abs(days_before_conversion) as days_since_other,
        bool_or(is_recent) over (partition by org_id, conversion_id) as has_recent_other,
        row_number() over (
            partition by org_id, conversion_id
            order by abs(days_before_conversion), occurred_at desc, touchpoint_id desc
        ) as number
    from in_reach
    where not is_direct and direct <> 'include'
),

compared as (
    select
        in_reach.*,
        last_others.days_since_other,
        coalesce(last_others.has_recent_other, false) as has_recent_other,
        coalesce(in_reach.touchpoint_id = last_others.touchpoint_id, false) as is_last_other
    from in_reach
    left join others as last_others
        on in_reach.org_id = last_others.org_id
        and in_reach.conversion_id = last_others.conversion_id
        and last_others.number = 1
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

{#- A view: the table would have the touches of a year for each conversion, model and window, and readers ask for one conversion. -#}
{{ config(materialized='view') }}

with

conversions as (
    select * from {{ ref('conversions') }}
),

touchpoints as (
    select * from {{ ref('touchpoints') }}
),

orgs as (
    select * from {{ ref('orgs') }}
),

touch_type_windows as (
    select * from {{ ref('touch_type_windows') }}
),

channel_weights as (
    select * from {{ ref('channel_weights') }}
),

excluded_touches as (
    select distinct
        org_id,
        touchpoint_id
    from {{ ref('suspicious_touches') }}
    where is_excluded
),

windows as (
    {{ numbered_windows('window_days') }}
),

{{ journey_touches(['org_id', 'conversion_id']) }},

-- The lookback window itself, then the others.
candidates as (
    select
        *,
        lookback_days as window_days
    from with_windows
    where is_in_lookback_window

    union all

    select
        with_windows.*,
        windows.window_days
    from with_windows
    inner join windows
        on windows.number >= with_windows.first_window
        and windows.number < with_windows.until_window
        and windows.window_days <> with_windows.lookback_days
),

{{ credit_of_touches(['org_id', 'conversion_id', 'window_days'], 'touchpoint_id') }},

final as (
    {%- for model in var('attribution_models') %}
    select
        org_id,
        conversion_id,
        touchpoint_id,
        '{{ model }}' as attribution_model,
        window_days as lookback_days,
        position,
        touchpoint_count,
        cast({{ as_conversions(model ~ '_credit') }} as decimal(18, 12)) as weight,
        {{ model }}_value_micros as attributed_value_micros
    from credited
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
)

select * from final

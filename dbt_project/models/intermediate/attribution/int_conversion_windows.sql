{#- A view: a few rows from the settings, which `conversion_windows` stores. -#}
{{ config(materialized='view') }}

with

definitions as (
    select * from {{ ref('stg_raw__conversion_definitions') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

windows as (
    {{ numbered_windows('lookback_days') }}
),

main_windows as (
    select
        definitions.org_id,
        definitions.conversion_type,
        definitions.number = 1 as is_main_type,
        definitions.lookback_days as main_lookback_days,
        orgs.rollup_windows
    from definitions
    inner join orgs using (org_id)
),

final as (
    select
        org_id,
        conversion_type,
        is_main_type,
        main_lookback_days as lookback_days,
        true as is_main_window,
        true as is_in_rollups
    from main_windows

    union all

    select
        main_windows.org_id,
        main_windows.conversion_type,
        main_windows.is_main_type,
        windows.lookback_days,
        false as is_main_window,
        coalesce({{ in_list('main_windows.rollup_windows', 'windows.lookback_days') }}, false) as is_in_rollups
    from main_windows
    inner join windows
        on main_windows.main_lookback_days <> windows.lookback_days
)

select * from final

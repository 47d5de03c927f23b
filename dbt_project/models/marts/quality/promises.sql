{#- A view, so that publishing asks the marts as they are then, not as they were when some earlier build tested them. -#}
{{ config(materialized='view') }}

with

adds_up as (
    select * from {{ ref('int_promise_adds_up') }}
),

explains_itself as (
    select * from {{ ref('int_promise_explains_itself') }}
),

nothing_lost as (
    select * from {{ ref('int_promise_nothing_lost') }}
),

checks as (
    select
        'everything_adds_up' as promise,
        what,
        org_id,
        attribution_model,
        accounting_mode,
        grain,
        cast(expected as decimal(38, 0)) as expected,
        cast(actual as decimal(38, 0)) as actual,
    from adds_up

    union all

    select
        'everything_explains_itself' as promise,
        what,
        org_id,
        attribution_model,
        accounting_mode,
        grain,
        cast(expected as decimal(38, 0)) as expected,
        cast(actual as decimal(38, 0)) as actual,
    from explains_itself

    union all

    select
        'nothing_lost_or_counted_twice' as promise,
        what,
        org_id,
        attribution_model,
        accounting_mode,
        grain,
        cast(expected as decimal(38, 0)) as expected,
        cast(actual as decimal(38, 0)) as actual,
    from nothing_lost
),

final as (
    select
        promise,
        what,
        org_id,
        attribution_model,
        accounting_mode,
        grain,
        expected,
        actual,
        expected = actual as is_kept,
    from checks
)

select * from final

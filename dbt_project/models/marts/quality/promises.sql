{#- A view, so that publishing asks the marts as they are then, not as they were when some earlier build tested them. -#}
{{ config(materialized='view') }}

{#- The promise is a constant of each part, so that a filter on it asks one part only. -#}
{%- set parts = {
    'everything_adds_up': 'promise_adds_up',
    'everything_explains_itself': 'promise_explains_itself',
    'nothing_lost_or_counted_twice': 'promise_nothing_lost',
} %}

with

promise_checks as (
    select * from {{ ref('promise_checks') }}
),

checks as (
    {%- for promise, part in parts.items() %}
    select
        '{{ promise }}' as promise,
        check_name,
        org_id,
        conversion_type,
        attribution_model,
        lookback_days,
        accounting_mode,
        grain,
        cast(expected as decimal(38, 0)) as expected,
        cast(actual as decimal(38, 0)) as actual
    from {{ ref(part) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

final as (
    select
        checks.promise,
        promise_checks.what,
        checks.org_id,
        checks.conversion_type,
        checks.attribution_model,
        checks.lookback_days,
        checks.accounting_mode,
        checks.grain,
        checks.expected,
        checks.actual,
        checks.expected = checks.actual as is_kept
    from checks
    left join promise_checks using (check_name)
)

select * from final

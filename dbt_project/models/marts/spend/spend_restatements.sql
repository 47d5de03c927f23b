{%- set text = dbt.type_string() -%}
{%- set day = ['org_id', 'platform', 'account_id', 'date'] -%}
{%- set key = day + ['level', 'campaign_id', 'adset_id', 'ad_id', 'currency'] -%}
with

ad_spend as (
    select * from {{ ref('stg_raw__ad_spend') }}
),

history as (
    select * from {{ ref('stg_raw__ad_spend_history') }}
),

ad_accounts as (
    select * from {{ ref('stg_raw__ad_accounts') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

unioned as (
    select
        {{ (key + spend_measures()) | join(',\n        ') }},
        load_id,
        loaded_at,
        replaced_by_load_id,
        replaced_at
    from history

    union all

    select
        {{ (key + spend_measures()) | join(',\n        ') }},
        load_id,
        loaded_at,
        cast(null as {{ text }}) as replaced_by_load_id,
        cast(null as timestamp) as replaced_at
    from ad_spend
),

-- These are not read from `unioned`: DuckDB keeps a relation that is read twice whole in memory.
loads as (
    select
        {{ day | join(',\n        ') }},
        loaded_at
    from {{ ref('stg_raw__ad_spend') }}

    union all

    select
        {{ day | join(',\n        ') }},
        loaded_at
    from {{ ref('stg_raw__ad_spend_history') }}
),

first_loads as (
    select
        {{ day | join(',\n        ') }},
        min(loaded_at) as first_loaded_at
    from loads
    group by {{ day | join(', ') }}
),

-- A current row from the first load of its day never changed. Most rows are such.
states as (
    select
        {%- for column in key + spend_measures() + ['load_id', 'loaded_at', 'replaced_by_load_id', 'replaced_at'] %}
        unioned.{{ column }},
        {%- endfor %}
        unioned.loaded_at > first_loads.first_loaded_at as is_later
    from unioned
    inner join first_loads using ({{ day | join(', ') }})
    where unioned.replaced_at is not null or unioned.loaded_at > first_loads.first_loaded_at
),

-- A state was restated if the load that ended it inserted the next state. Otherwise it was withdrawn, and the next state,
-- if there is one, returned. A state was added if it has no earlier one and its day was loaded before.
neighbours as (
    select
        *,
        lag(replaced_by_load_id) over state as previous_ended_by_load_id,
        lead(load_id) over state as next_load_id,
        {%- for measure in spend_measures() %}
        lead({{ measure }}) over state as next_{{ measure }}{{ "," if not loop.last }}
        {%- endfor %}
    from states
    window state as (
        partition by {{ key | join(', ') }}
        order by loaded_at, case when replaced_at is null then 1 else 0 end, replaced_at
    )
),

changes as (
    select
        {{ key | join(',\n        ') }},
        replaced_at as changed_at,
        replaced_by_load_id as changed_by_load_id,
        case when next_load_id = replaced_by_load_id then 'restated' else 'withdrawn' end as change,
        {%- for measure in spend_measures() %}
        {{ measure }} as {{ measure }}_before,
        case when next_load_id = replaced_by_load_id then next_{{ measure }} end as {{ measure }}_after{{ "," if not loop.last }}
        {%- endfor %}
    from neighbours
    where replaced_at is not null

    union all

    select
        {{ key | join(',\n        ') }},
        loaded_at as changed_at,
        load_id as changed_by_load_id,
        case when previous_ended_by_load_id is null then 'added' else 'returned' end as change,
        {%- for measure in spend_measures() %}
        null as {{ measure }}_before,
        {{ measure }} as {{ measure }}_after{{ "," if not loop.last }}
        {%- endfor %}
    from neighbours
    where is_later and coalesce(previous_ended_by_load_id <> load_id, true)
),

final as (
    select
        changes.org_id,
        changes.date,
        changes.platform,
        changes.account_id,
        changes.level,
        case when coalesce(changes.level, '') <> 'account' then changes.campaign_id end as campaign_id,
        changes.adset_id,
        changes.ad_id,
        changes.currency,
        changes.changed_at,
        changes.changed_by_load_id as load_id,
        changes.change,
        cast({{ dbt.datediff(
            'changes.date',
            reporting_date('changes.changed_at', 'coalesce(ad_accounts.timezone, orgs.timezone)'),
            'day',
        ) }} as integer) as days_after,
        {%- for measure in spend_measures() %}
        changes.{{ measure }}_before,
        changes.{{ measure }}_after{{ "," if not loop.last }}
        {%- if measure == 'spend_micros' %}
        coalesce(changes.spend_micros_after, 0) - coalesce(changes.spend_micros_before, 0) as spend_micros_difference,
        {%- endif %}
        {%- endfor %}
    from changes
    inner join orgs using (org_id)
    left join ad_accounts
        on changes.org_id = ad_accounts.org_id
        and changes.platform = ad_accounts.platform
        and changes.account_id = ad_accounts.account_id
    -- A renamed campaign alone does not change the figures of a row.
    where changes.change <> 'restated'
        {%- for measure in spend_measures() %}
        or coalesce(changes.{{ measure }}_before, -1) <> coalesce(changes.{{ measure }}_after, -1)
        {%- endfor %}
)

select * from final
order by org_id, date, platform

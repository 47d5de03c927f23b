{%- set key = ['org_id', 'platform', 'account_id', 'level', 'campaign_id', 'adset_id', 'ad_id', 'date', 'currency'] -%}
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

-- Only rows that ever changed: most never do.
changed_keys as (
    select distinct {{ key | join(', ') }} from history
),

states as (
    select
        {{ key | join(', ') }},
        {{ spend_measures() | join(', ') }},
        load_id,
        loaded_at,
        replaced_by_load_id,
        replaced_at,
    from history

    union all

    select
        {%- for column in key + spend_measures() %}
        ad_spend.{{ column }},
        {%- endfor %}
        ad_spend.load_id,
        ad_spend.loaded_at,
        cast(null as varchar),
        cast(null as timestamp),
    from ad_spend
    inner join changed_keys
        on ad_spend.date = changed_keys.date
        {%- for column in key if column != 'date' %}
        and coalesce(ad_spend.{{ column }}, '') = coalesce(changed_keys.{{ column }}, '')
        {%- endfor %}
),

-- A state gave way to the next one if the load that ended it brought that one; else it was withdrawn, and the next, if
-- any, returned.
neighbours as (
    select
        *,
        lag(replaced_by_load_id) over state as previous_ended_by_load_id,
        lead(load_id) over state as next_load_id,
        {%- for measure in spend_measures() %}
        lead({{ measure }}) over state as next_{{ measure }},
        {%- endfor %}
    from states
    window state as (
        partition by {{ key | join(', ') }}
        order by loaded_at, case when replaced_at is null then 1 else 0 end, replaced_at
    )
),

changes as (
    select
        *,
        replaced_at as changed_at,
        replaced_by_load_id as changed_by_load_id,
        case when next_load_id = replaced_by_load_id then 'restated' else 'withdrawn' end as change,
        {%- for measure in spend_measures() %}
        {{ measure }} as {{ measure }}_before,
        case when next_load_id = replaced_by_load_id then next_{{ measure }} end as {{ measure }}_after,
        {%- endfor %}
    from neighbours
    where replaced_at is not null

    union all

    select
        *,
        loaded_at,
        load_id,
        'returned',
        {%- for measure in spend_measures() %}
        null,
        {{ measure }},
        {%- endfor %}
    from neighbours
    where previous_ended_by_load_id <> load_id
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
        changes.{{ measure }}_after,
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
    -- A campaign that only has another name has the same figures.
    where changes.change <> 'restated'
        {%- for measure in spend_measures() %}
        or coalesce(changes.{{ measure }}_before, -1) <> coalesce(changes.{{ measure }}_after, -1)
        {%- endfor %}
)

select * from final
order by org_id, date, platform

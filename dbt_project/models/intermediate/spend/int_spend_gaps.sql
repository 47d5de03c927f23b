{#- A view: only notices read it. -#}
{{ config(materialized='view') }}
with

failed_rows as (
    select
        org_id,
        source,
        {%- for column in ['platform', 'account_id', 'date'] %}
        {{ json_text('payload', column) }} as {{ column }},
        {%- endfor %}
        _loaded_at as failed_at
    from {{ source('raw', 'failed_events') }}
    -- A damaged line is text; every other row is JSON with the columns of the contract.
    where kind = 'spend'
        and reason not in ('torn_line', 'bad_json', 'bad_quoting', 'bad_encoding', 'too_long', 'wrong_column_count')
),

ad_spend as (
    select * from {{ ref('stg_raw__ad_spend') }}
),

-- A later file or pull of the account's day fills the gap.
filled_days as (
    select
        org_id,
        account_id,
        cast(date as {{ dbt.type_string() }}) as date,
        max(loaded_at) as loaded_at
    from ad_spend
    where account_id in (select account_id from failed_rows)
    group by org_id, account_id, date
),

final as (
    select
        failed_rows.org_id,
        failed_rows.platform,
        failed_rows.account_id,
        failed_rows.source,
        min(failed_rows.date) as first_date,
        max(failed_rows.date) as last_date,
        count(*) as row_count
    from failed_rows
    left join filled_days
        on failed_rows.org_id = filled_days.org_id
        and failed_rows.account_id = filled_days.account_id
        and substring(failed_rows.date, 1, 10) = filled_days.date
        and failed_rows.failed_at < filled_days.loaded_at
    where filled_days.org_id is null
    group by failed_rows.org_id, failed_rows.platform, failed_rows.account_id, failed_rows.source
)

select * from final

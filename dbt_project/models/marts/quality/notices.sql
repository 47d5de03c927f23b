{%- set org_tables = [
    'events', 'interactions', 'conversions', 'ad_spend', 'refunds', 'postbacks', 'survey_answers', 'entities',
] -%}
with

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

quarantine as (
    select * from {{ ref('quarantine') }}
),

failed_events as (
    select * from {{ source('raw', 'failed_events') }}
),

freshness as (
    select * from {{ ref('spend_freshness') }}
),

ad_accounts as (
    select * from {{ ref('stg_raw__ad_accounts') }}
),

spend as (
    select
        org_id,
        count(*) as row_count,
    from {{ ref('int_spend_reports') }}
    group by org_id
),

bot_events as (
    select
        org_id,
        count(*) as row_count,
    from {{ ref('int_bot_events') }}
    where is_left_out
    group by org_id
),

-- Touches of a platform that reports campaigns, and yet belong to none.
unmatched as (
    select
        org_id,
        platform,
        sum(touches) as touches,
        sum(case when is_matched then 0 else touches end) as unmatched_touches,
        count(distinct suggested_alias) as suggestions,
    from {{ ref('campaign_matching') }}
    inner join (select distinct org_id, platform from {{ ref('int_campaign_match_keys') }}) as reporting using (org_id, platform)
    group by org_id, platform
),

rows_by_org as (
    {%- for table in org_tables %}
    select
        org_id,
        '{{ table }}' as source,
        count(*) as row_count,
    from {{ source('raw', table) }}
    group by org_id
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

without_rate as (
    select
        quarantine.org_id,
        quarantine.currency,
        orgs.currency as reporting_currency,
        count(*) as row_count,
        sum(quarantine.amount_micros) as amount_micros,
    from quarantine
    inner join orgs using (org_id)
    where quarantine.reason = 'no_exchange_rate'
    group by quarantine.org_id, quarantine.currency, orgs.currency
),

undeclared as (
    select
        rows_by_org.org_id,
        sum(rows_by_org.row_count) as row_count,
    from rows_by_org
    left join orgs using (org_id)
    where orgs.org_id is null
    group by rows_by_org.org_id
),

failed as (
    select
        org_id,
        kind,
        reason,
        count(*) as row_count,
    from failed_events
    group by org_id, kind, reason
),

empty as (
    select
        orgs.org_id,
        coalesce(max(spend.row_count), 0) as spend_rows,
        sum(case when rows_by_org.source in ('events', 'interactions') then rows_by_org.row_count else 0 end) as touch_rows,
    from orgs
    left join rows_by_org using (org_id)
    left join spend using (org_id)
    group by orgs.org_id
),

final as (
    select
        org_id,
        'no_exchange_rate' as topic,
        concat(
            row_count, ' rows (', {{ as_money('amount_micros') }}, ' ', currency, ') have no rate to ', reporting_currency,
            ' on or before their day: their money is left out. Import rates: tributary import exchange-rates FILE'
        ) as message,
    from without_rate

    union all

    select
        org_id,
        'undeclared_org' as topic,
        concat(
            'org ', org_id, ' has ', row_count, ' rows but is not in tributary.yaml: it is left out of the marts.',
            ' Add it there to see it again.'
        ) as message,
    from undeclared

    union all

    select
        org_id,
        'failed_rows' as topic,
        concat(row_count, ' rows of ', kind, ' failed: ', reason, '. See them with: tributary status') as message,
    from failed

    union all

    select
        org_id,
        'bots' as topic,
        concat(
            row_count, ' events of bots are left out of the marts and kept in raw.events.',
            ' To count them set exclude_bots: false for their site in tributary.yaml.'
        ) as message,
    from bot_events

    union all

    select
        org_id,
        'stale_spend' as topic,
        concat(
            platform, ': figures of account ', account_id, coalesce(' (' || freshness.name || ')', ''),
            case
                when not is_stale then ' are not all there'
                when covered_until is null then ' were never pulled whole'
                else concat(' are stale since ', covered_until)
            end,
            case
                when last_status = 'loaded' then concat(': nothing was pulled since. Try: tributary pull ', platform)
                else concat(': ', coalesce(last_failure_reason, concat('the last pull is ', last_status)))
            end
        ) as message,
    from freshness
    inner join ad_accounts using (org_id, platform, account_id) -- others are not pulled any more
    where is_stale or last_status <> 'loaded'

    union all

    select
        org_id,
        'unmatched_touches' as topic,
        concat(
            platform, ': ', {{ as_percent('unmatched_touches / cast(touches as double)') }}, ' of ', touches,
            ' touches belong to no campaign that it reports: tag its links with ids (docs/match-campaigns.md)',
            case
                when suggestions > 0
                    then concat('; campaign_matching suggests ', suggestions, ' aliases for campaign_aliases in tributary.yaml')
                else ''
            end,
            '.'
        ) as message,
    from unmatched
    where touches >= {{ var('unmatched_min_touches') }}
        and unmatched_touches > touches * {{ var('unmatched_touch_share') }}

    union all

    select
        org_id,
        'no_spend' as topic,
        concat('org ', org_id, ' has no spend: cost, ROAS and waste stay empty. tributary import spend FILE') as message,
    from empty
    where spend_rows = 0 and touch_rows > 0

    union all

    select
        org_id,
        'no_touches' as topic,
        concat('org ', org_id, ' has spend but no touches: everything is unattributed. tributary import events FILE') as message,
    from empty
    where touch_rows = 0 and spend_rows > 0

    union all

    -- An org that waits for its first file is worth a word only where nothing else is there to see.
    select
        org_id,
        'no_data' as topic,
        concat('org ', org_id, ' has no data yet: tributary import events FILE') as message,
    from empty
    where (select sum(touch_rows + spend_rows) from empty) = 0
)

select * from final
order by topic, org_id, message

{%- set org_tables = [
    'events', 'interactions', 'conversions', 'ad_spend', 'refunds', 'postbacks', 'survey_answers', 'entities',
] -%}
with

messages as (
    select * from {{ ref('notice_messages') }}
),

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

old_rates as (
    select * from {{ ref('int_old_rates') }}
),

spend_gaps as (
    select * from {{ ref('int_spend_gaps') }}
),

ad_accounts as (
    select * from {{ ref('stg_raw__ad_accounts') }}
),

spend as (
    select
        org_id,
        count(*) as row_count
    from {{ ref('int_spend_reports') }}
    group by org_id
),

placeholder_ids as (
    select * from {{ ref('stg_raw__placeholder_ids') }}
),

shared_ids as (
    select * from {{ ref('int_shared_ids') }}
),

input_checks as (
    select * from {{ ref('input_checks') }}
),

bot_events as (
    select
        org_id,
        count(*) as row_count
    from {{ ref('int_bot_events') }}
    where is_excluded
    group by org_id
),

-- Only platforms with known campaigns, so that a campaign could match.
unmatched as (
    select
        org_id,
        platform,
        sum(touches) as touches,
        sum(case when is_matched then 0 else touches end) as unmatched_touches,
        count(distinct suggested_alias) as suggestions
    from {{ ref('campaign_matching') }}
    inner join (select distinct org_id, platform from {{ ref('int_campaign_match_keys') }}) as reporting using (org_id, platform)
    group by org_id, platform
),

rows_by_org as (
    {%- for table in org_tables %}
    select
        org_id,
        '{{ table }}' as source,
        count(*) as row_count
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
        sum(quarantine.amount_micros) as amount_micros
    from quarantine
    inner join orgs using (org_id)
    where quarantine.reason = 'no_exchange_rate'
    group by quarantine.org_id, quarantine.currency, orgs.currency
),

-- Money that an order does not have, or keeps by mistake, because a report does not fit an order.
unmatched_money as (
    select
        org_id,
        reason,
        currency,
        count(*) as row_count,
        sum(abs(amount_micros)) as amount_micros
    from quarantine
    where reason in ('unknown_order', 'unknown_currency', 'ambiguous_order', 'negative_value')
    group by org_id, reason, currency
),

undeclared as (
    select
        rows_by_org.org_id,
        sum(rows_by_org.row_count) as row_count
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
        count(*) as row_count
    from failed_events
    group by org_id, kind, reason
),

empty as (
    select
        orgs.org_id,
        coalesce(max(spend.row_count), 0) as spend_rows,
        sum(case when rows_by_org.source in ('events', 'interactions') then rows_by_org.row_count else 0 end) as touch_rows
    from orgs
    left join rows_by_org using (org_id)
    left join spend using (org_id)
    group by orgs.org_id
),

-- Accounts that left tributary.yaml are not pulled any more, so they are not stale.
stale as (
    select
        freshness.org_id,
        freshness.platform,
        freshness.account_id || coalesce(' (' || freshness.name || ')', '') as account,
        freshness.covered_until,
        freshness.last_status,
        case
            when freshness.last_status = 'loaded' then {{ filled('no_pull.message', {'platform': 'freshness.platform'}) }}
            else coalesce(
                freshness.last_failure_reason,
                {{ filled('other_status.message', {'status': 'freshness.last_status'}) }}
            )
        end as cause,
        case
            when not freshness.is_stale then 'incomplete_spend'
            when freshness.covered_until is null then 'uncovered_spend'
            else 'stale_spend'
        end as notice
    from freshness
    inner join ad_accounts using (org_id, platform, account_id)
    inner join messages as no_pull on no_pull.notice = 'cause_no_pull'
    inner join messages as other_status on other_status.notice = 'cause_status'
    where freshness.is_stale or freshness.last_status <> 'loaded'
),

final as (
    select
        without_rate.org_id,
        'no_exchange_rate' as topic,
        {{ filled('messages.message', {
            'rows': 'without_rate.row_count',
            'amount': as_money('without_rate.amount_micros'),
            'currency': 'without_rate.currency',
            'reporting_currency': 'without_rate.reporting_currency',
        }) }} as message
    from without_rate
    inner join messages on messages.notice = 'no_exchange_rate'

    union all

    select
        unmatched_money.org_id,
        unmatched_money.reason as topic,
        {{ filled('messages.message', {
            'rows': 'unmatched_money.row_count',
            'amount': as_money('coalesce(unmatched_money.amount_micros, 0)'),
            'currency': 'unmatched_money.currency',
        }) }} as message
    from unmatched_money
    inner join messages on messages.notice = unmatched_money.reason

    union all

    select
        old_rates.org_id,
        'old_exchange_rate' as topic,
        {{ filled('messages.message', {
            'rows': 'old_rates.row_count',
            'amount': as_money('old_rates.amount_micros'),
            'currency': 'old_rates.currency',
            'reporting_currency': 'old_rates.reporting_currency',
            'rate_date': 'old_rates.rate_date',
            'days': var('max_rate_age_days'),
        }) }} as message
    from old_rates
    inner join messages on messages.notice = 'old_exchange_rate'

    union all

    select
        spend_gaps.org_id,
        'partial_spend' as topic,
        {{ filled('messages.message', {
            'platform': 'spend_gaps.platform',
            'account': 'spend_gaps.account_id',
            'first_date': 'spend_gaps.first_date',
            'last_date': 'spend_gaps.last_date',
            'rows': 'spend_gaps.row_count',
            'source': 'spend_gaps.source',
        }) }} as message
    from spend_gaps
    inner join messages on messages.notice = 'partial_spend'

    union all

    select
        undeclared.org_id,
        'undeclared_org' as topic,
        {{ filled('messages.message', {'org': 'undeclared.org_id', 'rows': 'undeclared.row_count'}) }} as message
    from undeclared
    inner join messages on messages.notice = 'undeclared_org'

    union all

    select
        failed.org_id,
        'failed_rows' as topic,
        {{ filled('messages.message', {
            'rows': 'failed.row_count',
            'kind': 'failed.kind',
            'reason': 'failed.reason',
        }) }} as message
    from failed
    inner join messages on messages.notice = 'failed_rows'

    union all

    select
        bot_events.org_id,
        'bots' as topic,
        {{ filled('messages.message', {'org': 'bot_events.org_id', 'rows': 'bot_events.row_count'}) }} as message
    from bot_events
    inner join messages on messages.notice = 'bots'

    union all

    select
        input_checks.org_id,
        'own_links' as topic,
        {{ filled('messages.message', {'rows': 'input_checks.row_count', 'site': 'input_checks.location'}) }} as message
    from input_checks
    inner join messages on messages.notice = 'own_links'
    where input_checks.check_name = 'own_links'

    union all

    select
        input_checks.org_id,
        'bot_conversions' as topic,
        {{ filled('messages.message', {
            'rows': 'input_checks.row_count',
            'amount': as_money('input_checks.amount_micros'),
            'currency': 'input_checks.currency',
        }) }} as message
    from input_checks
    inner join messages on messages.notice = 'bot_conversions'
    where input_checks.check_name = 'bot_conversion'

    union all

    select
        placeholder_ids.org_id,
        'placeholder_ids' as topic,
        {{ filled('messages.message', {
            'site': 'placeholder_ids.site_id',
            'placeholder': 'placeholder_ids.placeholder',
            'ids': 'placeholder_ids.ids',
        }) }} as message
    from placeholder_ids
    inner join messages
        on messages.notice
        = case when placeholder_ids.site_id is null then 'placeholder_ids_of_org' else 'placeholder_ids' end

    union all

    select
        shared_ids.org_id,
        'shared_ids' as topic,
        {{ filled('messages.message', {
            'org': 'shared_ids.org_id',
            'id': 'shared_ids.id',
            'visitors': 'shared_ids.visitors',
        }) }} as message
    from shared_ids
    inner join messages on messages.notice = 'shared_' || shared_ids.kind

    union all

    select
        stale.org_id,
        'stale_spend' as topic,
        {{ filled('messages.message', {
            'platform': 'stale.platform',
            'account': 'stale.account',
            'covered_until': 'stale.covered_until',
            'cause': 'stale.cause',
        }) }} as message
    from stale
    inner join messages using (notice)

    union all

    select
        unmatched.org_id,
        'unmatched_touches' as topic,
        {{ filled('messages.message', {
            'platform': 'unmatched.platform',
            'share': as_percent('unmatched.unmatched_touches / cast(unmatched.touches as double)'),
            'touches': 'unmatched.touches',
            'suggestions': 'unmatched.suggestions',
        }) }} as message
    from unmatched
    inner join messages
        on messages.notice
        = case when unmatched.suggestions > 0 then 'unmatched_touches_with_aliases' else 'unmatched_touches' end
    where unmatched.touches >= {{ var('unmatched_min_touches') }}
        and unmatched.unmatched_touches > unmatched.touches * {{ var('unmatched_touch_share') }}

    union all

    -- An org without data needs a notice only where no org has data.
    select
        empty.org_id,
        messages.notice as topic,
        {{ filled('messages.message', {'org': 'empty.org_id'}) }} as message
    from empty
    inner join messages
        on messages.notice = case
            when empty.spend_rows = 0 and empty.touch_rows > 0 then 'no_spend'
            when empty.touch_rows = 0 and empty.spend_rows > 0 then 'no_touches'
            when (select sum(touch_rows + spend_rows) from empty) = 0 then 'no_data'
        end
)

select * from final
order by topic, org_id, message

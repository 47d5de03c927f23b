{%- set text = dbt.type_string() -%}
with

messages as (
    select * from {{ ref('input_check_messages') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

shared_ids as (
    select * from {{ ref('int_shared_ids') }}
),

reports as (
    select * from {{ ref('int_conversions') }}
),

imported_conversions as (
    select * from {{ ref('stg_raw__conversions') }}
    where site_id is not null and customer_id is not null and email_hash is not null
),

conversions as (
    select * from {{ ref('conversions') }}
),

definitions as (
    select * from {{ ref('stg_raw__conversion_definitions') }}
),

quarantine as (
    select * from {{ ref('quarantine') }}
),

touchpoints as (
    select * from {{ ref('int_touchpoints') }}
),

events as (
    select * from {{ ref('int_sessionized_events') }}
),

ignored_hosts as (
    select distinct
        org_id,
        host
    from {{ ref('int_referrers') }}
    where is_ignored
),

ad_spend as (
    select * from {{ ref('stg_raw__ad_spend') }}
),

spend_rows as (
    select * from {{ ref('int_spend_rows') }}
),

failed_events as (
    select * from {{ source('raw', 'failed_events') }}
),

weekday_changes as (
    select * from {{ ref('int_weekday_changes') }}
),

order_amounts as (
    select
        org_id,
        original_currency as currency,
        max(original_value_micros) - min(original_value_micros) as difference_micros
    from reports
    where order_key is not null
        and original_value_micros > 0
        and not is_failed_payment
        and (exclusion_reason is null or exclusion_reason = 'duplicate_order')
    group by org_id, order_key, conversion_type, original_currency
),

touches_by_org as (
    select
        org_id,
        count(*) as touches
    from touchpoints
    group by org_id
),

currencies_by_day as (
    select
        org_id,
        platform,
        account_id,
        date,
        min(currency) || ', ' || max(currency) as currencies
    from ad_spend
    where spend_micros <> 0
    group by org_id, platform, account_id, date
    having count(distinct currency) > 1
),

mixed_types as (
    select
        conversions.org_id,
        conversions.conversion_type
    from conversions
    inner join definitions using (org_id, conversion_type)
    where definitions.source_types is null
    group by conversions.org_id, conversions.conversion_type
    having count(distinct conversions.reported_type) > 1
),

-- A customer of two sites has one address in both. Two customers with one number have no address in common.
customers_of_sites as (
    select
        org_id,
        customer_id,
        min(site_id) || ' and ' || max(site_id) as sites
    from imported_conversions
    group by org_id, customer_id
    having count(distinct site_id) > 1 and count(distinct email_hash) = count(distinct site_id || ' ' || email_hash)
),

found as (
    select
        org_id,
        'shared_id' as check_name,
        kind as location,
        id as detail,
        visitors as row_count,
        cast(null as bigint) as amount_micros,
        cast(null as {{ text }}) as currency
    from shared_ids

    union all

    select
        org_id,
        'overlapping_customer_ids' as check_name,
        sites as location,
        cast(null as {{ text }}) as detail,
        count(*) as row_count,
        cast(null as bigint) as amount_micros,
        cast(null as {{ text }}) as currency
    from customers_of_sites
    group by org_id, sites

    union all

    select
        org_id,
        'orders_disagree' as check_name,
        'orders' as location,
        cast(null as {{ text }}) as detail,
        count(*) as row_count,
        sum(difference_micros) as amount_micros,
        currency
    from order_amounts
    where difference_micros > 0
    group by org_id, currency

    union all

    select
        org_id,
        'refund_without_order' as check_name,
        'refunds' as location,
        cast(null as {{ text }}) as detail,
        count(*) as row_count,
        sum(abs(amount_micros)) as amount_micros,
        currency
    from quarantine
    where source = 'refunds' and reason = 'unknown_order'
    group by org_id, currency

    union all

    select
        org_id,
        'conversion_without_value' as check_name,
        conversion_type as location,
        cast(null as {{ text }}) as detail,
        sum(case when coalesce(original_value_micros, 0) = 0 then 1 else 0 end) as row_count,
        cast(null as bigint) as amount_micros,
        cast(null as {{ text }}) as currency
    from conversions
    group by org_id, conversion_type
    having sum(case when coalesce(original_value_micros, 0) = 0 then 1 else 0 end) between 1 and count(*) - 1

    union all

    select
        conversions.org_id,
        'mixed_types' as check_name,
        conversions.reported_type as location,
        conversions.conversion_type as detail,
        count(*) as row_count,
        cast(null as bigint) as amount_micros,
        cast(null as {{ text }}) as currency
    from conversions
    inner join mixed_types using (org_id, conversion_type)
    where conversions.reported_type <> conversions.conversion_type
    group by conversions.org_id, conversions.reported_type, conversions.conversion_type

    union all

    select
        conversions.org_id,
        'bot_conversion' as check_name,
        'conversions' as location,
        cast(null as {{ text }}) as detail,
        count(*) as row_count,
        sum(conversions.value_micros) as amount_micros,
        orgs.currency
    from conversions
    inner join orgs using (org_id)
    where conversions.is_bot
    group by conversions.org_id, orgs.currency

    union all

    select
        touchpoints.org_id,
        'unassigned_touches' as check_name,
        'touchpoints' as location,
        cast(round(100.0 * count(*) / max(touches_by_org.touches), 1) as {{ text }}) as detail,
        count(*) as row_count,
        cast(null as bigint) as amount_micros,
        cast(null as {{ text }}) as currency
    from touchpoints
    inner join touches_by_org using (org_id)
    where touchpoints.channel = 'Unassigned'
    group by touchpoints.org_id
    having count(*) > {{ var('unassigned_touch_share') }} * max(touches_by_org.touches)
    {%- for column in ['source', 'medium', 'campaign'] %}

    union all

    select
        touchpoints.org_id,
        'not_set' as check_name,
        '{{ column }}' as location,
        cast(round(100.0 * count(*) / max(touches_by_org.touches), 1) as {{ text }}) as detail,
        count(*) as row_count,
        cast(null as bigint) as amount_micros,
        cast(null as {{ text }}) as currency
    from touchpoints
    inner join touches_by_org using (org_id)
    where lower(touchpoints.{{ column }}) = '(not set)'
    group by touchpoints.org_id
    {%- endfor %}

    union all

    select
        org_id,
        'own_links' as check_name,
        site_id as location,
        cast(null as {{ text }}) as detail,
        count(*) as row_count,
        cast(null as bigint) as amount_micros,
        cast(null as {{ text }}) as currency
    from events
    where is_own_campaign
    group by org_id, site_id

    union all

    select
        touchpoints.org_id,
        'payment_referrers' as check_name,
        touchpoints.referrer_host as location,
        cast(null as {{ text }}) as detail,
        count(*) as row_count,
        cast(null as bigint) as amount_micros,
        cast(null as {{ text }}) as currency
    from touchpoints
    inner join ignored_hosts
        on touchpoints.org_id = ignored_hosts.org_id
        and touchpoints.referrer_host = ignored_hosts.host
    group by touchpoints.org_id, touchpoints.referrer_host

    union all

    select
        org_id,
        'two_grains' as check_name,
        platform || ' ' || account_id as location,
        cast(null as {{ text }}) as detail,
        count(*) as row_count,
        sum(spend_micros) as amount_micros,
        currency
    from (
        select
            spend_rows.org_id,
            spend_rows.platform,
            spend_rows.account_id,
            spend_rows.currency,
            spend_rows.spend_micros
        from spend_rows
        left join ad_spend
            on spend_rows.org_id = ad_spend.org_id
            and spend_rows.platform = ad_spend.platform
            and spend_rows.account_id = ad_spend.account_id
            and spend_rows.campaign_id = ad_spend.campaign_id
            and spend_rows.date = ad_spend.date
            and spend_rows.currency = ad_spend.currency
            and ad_spend.level = 'campaign'
        where spend_rows.level = 'campaign' and ad_spend.org_id is null
    ) as read_as_totals
    group by org_id, platform, account_id, currency

    union all

    select
        org_id,
        'two_currencies' as check_name,
        platform || ' ' || account_id as location,
        max(currencies) as detail,
        count(*) as row_count,
        cast(null as bigint) as amount_micros,
        cast(null as {{ text }}) as currency
    from currencies_by_day
    group by org_id, platform, account_id

    union all

    select
        org_id,
        case when reason = 'period_row' then 'period_rows' else 'future_rows' end as check_name,
        kind as location,
        cast(null as {{ text }}) as detail,
        count(*) as row_count,
        cast(null as bigint) as amount_micros,
        cast(null as {{ text }}) as currency
    from failed_events
    where reason in ('period_row', 'future_date', 'future_timestamp')
    group by org_id, case when reason = 'period_row' then 'period_rows' else 'future_rows' end, kind

    union all

    select
        weekday_changes.org_id,
        weekday_changes.change as check_name,
        coalesce('spend of ' || weekday_changes.platform, 'revenue') as location,
        cast(max(weekday_changes.date) as {{ text }}) as detail,
        count(*) as row_count,
        cast(sum(weekday_changes.difference_micros) as bigint) as amount_micros,
        max(orgs.currency) as currency
    from weekday_changes
    inner join orgs using (org_id)
    group by weekday_changes.org_id, weekday_changes.change, coalesce('spend of ' || weekday_changes.platform, 'revenue')
),

final as (
    select
        found.org_id,
        found.check_name,
        found.location,
        cast(messages.importance as integer) as importance,
        cast(found.row_count as bigint) as row_count,
        cast(found.amount_micros as bigint) as amount_micros,
        found.currency,
        {{ filled('messages.finding', {
            'rows': 'found.row_count',
            'location': 'found.location',
            'detail': 'found.detail',
            'amount': as_money('found.amount_micros'),
            'currency': 'found.currency',
        }) }} as finding,
        messages.action
    from found
    inner join messages using (check_name)
)

select * from final

{%- set text = dbt.type_string() -%}
with

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

definitions as (
    select * from {{ ref('stg_raw__conversion_definitions') }}
),

conversions as (
    select * from {{ ref('int_counted_conversions') }}
),

touchpoints as (
    select * from {{ ref('int_touchpoints') }}
),

events as (
    select * from {{ ref('stg_raw__events') }}
    where type <> 'CONVERSION'
),

excluded_events as (
    select * from {{ ref('int_excluded_events') }}
),

visitor_customers as (
    select * from {{ ref('int_visitor_customers') }}
),

shared_ids as (
    select * from {{ ref('int_shared_ids') }}
),

event_persons as (
    select
        events.*,
        {{ own_customer('events') }} as own_customer_id
    from events
    left join excluded_events using (org_id, site_id, event_id)
    left join shared_ids
        on {{ shared_customer('events') }}
    where excluded_events.event_id is null
),

reported as (
    select
        reports.org_id,
        definitions.conversion_type,
        reports.conversion_id as report_id,
        reports.site_id,
        reports.visitor_id,
        reports.customer_id,
        reports.conversion_type as reported_type,
        reports.occurred_at,
        reports.date,
        reports.order_id,
        reports.person_key,
        reports.value_micros,
        reports.original_value_micros,
        reports.original_currency,
        reports.refunded_micros
    from conversions as reports
    inner join definitions
        on reports.org_id = definitions.org_id
        and {{ definition_fits('conversion', 'reports.conversion_type') }}

    union all

    select
        reports.org_id,
        definitions.conversion_type,
        reports.site_id || ':' || reports.event_id as report_id,
        reports.site_id,
        reports.visitor_id,
        coalesce(reports.own_customer_id, visitor_customers.customer_id) as customer_id,
        reports.type as reported_type,
        reports.occurred_at,
        {{ reporting_date('reports.occurred_at', 'orgs.timezone') }} as date,
        cast(null as {{ text }}) as order_id,
        coalesce(
            'c:' || coalesce(reports.own_customer_id, visitor_customers.customer_id),
            'v:' || reports.visitor_id,
            'conversion:' || reports.site_id || ':' || reports.event_id
        ) as person_key,
        0 as value_micros,
        cast(null as bigint) as original_value_micros,
        orgs.currency as original_currency,
        0 as refunded_micros
    from event_persons as reports
    inner join orgs using (org_id)
    inner join definitions
        on reports.org_id = definitions.org_id
        and {{ definition_fits('event', 'reports.type') }}
        and (definitions.properties is null or {{ has_members('reports.properties', 'definitions.properties') }})
    left join visitor_customers
        on {{ known_customer('reports', customer_id='reports.own_customer_id') }}

    union all

    select
        reports.org_id,
        definitions.conversion_type,
        reports.touchpoint_id as report_id,
        reports.site_id,
        reports.visitor_id,
        reports.customer_id,
        reports.touch_type as reported_type,
        reports.occurred_at,
        {{ reporting_date('reports.occurred_at', 'orgs.timezone') }} as date,
        cast(null as {{ text }}) as order_id,
        reports.person_key,
        0 as value_micros,
        cast(null as bigint) as original_value_micros,
        orgs.currency as original_currency,
        0 as refunded_micros
    from touchpoints as reports
    inner join orgs using (org_id)
    inner join definitions
        on reports.org_id = definitions.org_id
        and {{ definition_fits('interaction', 'reports.touch_type') }}
),

-- The definition's own value replaces the reported one, with its refunds.
valued as (
    select
        reported.org_id,
        reported.conversion_type,
        -- The main type keeps the report's id, so that the id of a conversion does not change with a second definition.
        case
            when definitions.number = 1 then reported.report_id
            else reported.report_id || '#' || reported.conversion_type
        end as conversion_id,
        reported.report_id,
        reported.site_id,
        reported.visitor_id,
        reported.customer_id,
        reported.reported_type,
        reported.occurred_at,
        reported.date,
        reported.order_id,
        reported.person_key,
        cast(coalesce(definitions.value_micros, reported.value_micros) as bigint) as value_micros,
        reported.original_value_micros,
        reported.original_currency,
        cast(case when definitions.value_micros is null then reported.refunded_micros else 0 end as bigint) as refunded_micros,
        definitions.lookback_days,
        definitions.touches,
        definitions.is_first_only
    from reported
    inner join definitions using (org_id, conversion_type)
    where definitions.min_value_micros is null
        or reported.value_micros + reported.refunded_micros >= definitions.min_value_micros
),

numbered as (
    select
        *,
        row_number() over person as person_number,
        lag(occurred_at) over person as previous_at
    from valued
    window person as (partition by org_id, conversion_type, person_key order by occurred_at, conversion_id)
),

-- The person's first lead, which w_shaped credits: a report of a lead, or a conversion of the type lead.
leads as (
    select
        org_id,
        person_key,
        min(occurred_at) as lead_at
    from (
        select org_id, person_key, occurred_at from conversions where conversion_type = 'lead'
        union all
        select org_id, person_key, occurred_at from valued where conversion_type = 'lead'
    ) as all_leads
    group by org_id, person_key
),

final as (
    select
        org_id,
        conversion_type,
        conversion_id,
        report_id,
        site_id,
        visitor_id,
        customer_id,
        reported_type,
        occurred_at,
        date,
        order_id,
        person_key,
        value_micros,
        original_value_micros,
        original_currency,
        refunded_micros,
        person_number = 1 as is_first_conversion,
        lookback_days,
        touches,
        case when touches = 'since_previous' then previous_at end as touches_after,
        case when leads.lead_at <= occurred_at then leads.lead_at end as lead_at
    from numbered
    left join leads using (org_id, person_key)
    where person_number = 1 or not is_first_only
)

select * from final

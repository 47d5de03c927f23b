with

conversions as (
    select * from {{ ref('int_defined_conversions') }}
),

bot_events as (
    select * from {{ ref('int_bot_events') }}
),

-- A conversion of a web event has the event's key as its id.
bots as (
    select
        org_id,
        site_id || ':' || event_id as conversion_id
    from bot_events
),

final as (
    select
        conversions.conversion_id,
        conversions.org_id,
        conversions.site_id,
        visitor_id,
        customer_id,
        conversion_type,
        reported_type,
        report_id,
        occurred_at,
        order_id,
        value_micros,
        original_value_micros,
        original_currency,
        is_first_conversion,
        date,
        person_key,
        refunded_micros,
        lookback_days,
        touches,
        touches_after,
        lead_at,
        bots.conversion_id is not null as is_bot
    from conversions
    left join bots
        on conversions.org_id = bots.org_id
        and conversions.report_id = bots.conversion_id
)

select * from final
order by org_id, date

-- Google Analytics 4: the BigQuery export (NDJSON or Parquet of events_YYYYMMDD, nested).
-- kind: events
-- event_timestamp is in microseconds, UTC.
-- GA4 events have no id: a hash of the columns that distinguish the events of a batch is the id.
-- `purchase` and `generate_lead` are conversions, and `refund` without a value returns the whole order. An amount is in the
-- event's currency. An event without a visitor can name a user, or an order only.
-- required: event_timestamp, event_name, user_pseudo_id
-- optional: event_params, user_id, stream_id, ecommerce, event_bundle_sequence_id, batch_event_index, batch_ordering_id, device
with events as (
    select
        *,
        case when json_valid(event_params) then event_params::json end as parameters,
        try_cast(event_timestamp as bigint) as micros
    from source
),

valued as (
    select
        *,
        -- GA4 stores a parameter in one of several typed fields
        list_transform(
            ['ga_session_id', 'page_location', 'page_referrer', 'page_title', 'value', 'currency', 'transaction_id'],
            lambda name: list_extract(list_filter(
                json_extract(parameters, '$[*]'), lambda p: p ->> '$.key' = name
            ), 1) -> '$.value'
        ) as found
    from events
),

named as (
    select
        *,
        case when json_valid(ecommerce) then ecommerce::json end as sale,
        list_transform(found, lambda v: coalesce(
            v ->> '$.string_value', v ->> '$.int_value', v ->> '$.double_value', v ->> '$.float_value'
        )) as param
    from valued
)

select
    _row,
    md5(concat_ws(
        '|', user_pseudo_id, event_timestamp, event_name, event_bundle_sequence_id, batch_ordering_id, batch_event_index,
        event_params
    )) as event_id,
    coalesce(stream_id, 'ga4') as site_id,
    case
        when event_name = 'page_view' then 'PAGE_VIEW'
        when event_name in ('purchase', 'generate_lead') then 'CONVERSION'
        when event_name = 'refund' then 'REFUND'
        else 'CUSTOM'
    end as type,
    coalesce(make_timestamp(micros)::varchar || 'Z', event_timestamp) as occurred_at,
    user_pseudo_id as anon_id,
    -- GA4 numbers the sessions of each visitor by their start; server-side tags copy it with other parts of a cookie
    user_pseudo_id || '.' || coalesce(nullif(regexp_extract(param[1], '^(?:GS\d\.\d\.)?s(\d+)\$', 1), ''), param[1]) as session_id,
    user_id,
    param[2] as url,
    null as path,
    param[3] as referrer,
    case when json_valid(device) then device ->> '$.web_info.browser' end as user_agent,
    case
        when event_name in ('purchase', 'generate_lead') then coalesce(nullif(nullif(param[5], '0'), '0.0'), sale ->> '$.purchase_revenue', param[5])
        when event_name = 'refund' then coalesce(nullif(nullif(param[5], '0'), '0.0'), sale ->> '$.refund_value', param[5])
    end as value,
    case when event_name in ('purchase', 'generate_lead', 'refund') then param[6] end as currency,
    coalesce(param[7], sale ->> '$.transaction_id') as order_id,
    case event_name when 'purchase' then 'purchase' when 'generate_lead' then 'lead' end as conversion_type,
    json_object('event_name', event_name, 'page_title', param[4]) as properties
from named

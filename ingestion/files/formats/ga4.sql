-- GA4: the BigQuery export of events.
-- source: https://support.google.com/analytics/answer/7029846
-- source: https://developers.google.com/analytics/devguides/collection/ga4/reference/events
-- export: BigQuery, a table events_YYYYMMDD, Export > Export to Cloud Storage, as JSON (newline delimited) or Parquet
-- kind: events
-- required: event_timestamp, event_name
-- optional: event_params, user_pseudo_id, user_id, stream_id, ecommerce, items, collected_traffic_source
-- optional: session_traffic_source_last_click, event_bundle_sequence_id, batch_event_index, batch_ordering_id, device
--
-- GA4 events have no id: a hash of the columns that distinguish the events of a batch is the id. Times are in microseconds, UTC.
-- `purchase` and `generate_lead` are conversions. An amount is in the event's currency; without one, the amount in USD counts.
-- A `refund` without an amount returns its items, and without items the whole order. An event without a visitor can name a user,
-- or an order only.
--
-- The source of an event is `collected_traffic_source`, else its parameters. The first event of a session completes it by the
-- session's source. A source that GA4 read from the referrer is left to the referrer, so that a payment provider is none.
-- `traffic_source` is the first source of the visitor's life, and is not read.
with parsed as (
    select
        *,
        case when json_valid(event_params) then event_params::json end as parameters,
        case when json_valid(ecommerce) then ecommerce::json end as sale,
        case when json_valid(items) then items::json end as lines,
        case when json_valid(collected_traffic_source) then collected_traffic_source::json end as collected,
        case when json_valid(session_traffic_source_last_click) then session_traffic_source_last_click::json end as last_click,
        try_cast(event_timestamp as bigint) as micros
    from source
),

listed as (
    select
        *,
        list_transform(json_extract(parameters, '$[*]'), lambda p: p ->> '$.key') as keys,
        -- GA4 stores a parameter in one of several typed fields
        list_transform(json_extract(parameters, '$[*]'), lambda p: coalesce(
            nullif(p ->> '$.value.string_value', ''), p ->> '$.value.int_value', p ->> '$.value.double_value',
            p ->> '$.value.float_value'
        )) as params
    from parsed
),

named as (
    select
        *,
        params[list_position(keys, 'ga_session_id')] as ga_session_id,
        params[list_position(keys, 'page_location')] as page_location,
        params[list_position(keys, 'page_referrer')] as page_referrer,
        params[list_position(keys, 'page_title')] as page_title,
        params[list_position(keys, 'value')] as amount,
        params[list_position(keys, 'currency')] as currency,
        params[list_position(keys, 'transaction_id')] as transaction_id,
        coalesce(collected ->> '$.gclid', params[list_position(keys, 'gclid')]) as gclid,
        coalesce(collected ->> '$.dclid', params[list_position(keys, 'dclid')]) as dclid,
        coalesce(collected ->> '$.srsltid', params[list_position(keys, 'srsltid')]) as srsltid,
        -- source, medium, campaign, campaign_id, content, term
        case
            when coalesce(
                collected ->> '$.manual_source', collected ->> '$.manual_medium', collected ->> '$.manual_campaign_name',
                collected ->> '$.manual_campaign_id'
            ) is not null
                then json_extract_string(collected, [
                    '$.manual_source', '$.manual_medium', '$.manual_campaign_name', '$.manual_campaign_id',
                    '$.manual_content', '$.manual_term'
                ])
            else list_transform(
                ['source', 'medium', 'campaign', 'campaign_id', 'content', 'term'],
                lambda name: params[list_position(keys, name)]
            )
        end as event_link,
        case
            when coalesce(
                nullif(last_click ->> '$.google_ads_campaign.campaign_id', '(not set)'),
                nullif(last_click ->> '$.google_ads_campaign.customer_id', '(not set)')
            ) is not null
                then list_concat(['google', 'cpc'], json_extract_string(last_click, [
                    '$.google_ads_campaign.campaign_name', '$.google_ads_campaign.campaign_id', '$.none', '$.none'
                ]))
            else list_transform(
                list_zip(
                    json_extract_string(last_click, [
                        '$.cross_channel_campaign.source', '$.cross_channel_campaign.medium',
                        '$.cross_channel_campaign.campaign_name', '$.cross_channel_campaign.campaign_id', '$.none', '$.none'
                    ]),
                    json_extract_string(last_click, [
                        '$.manual_campaign.source', '$.manual_campaign.medium', '$.manual_campaign.campaign_name',
                        '$.manual_campaign.campaign_id', '$.manual_campaign.content', '$.manual_campaign.term'
                    ])
                ),
                lambda pair: coalesce(pair[1], pair[2])
            )
        end as session_link
    from listed
),

cleaned as (
    select
        *,
        -- server-side tags copy the session's number with other parts of a cookie
        user_pseudo_id || '.' || coalesce(
            nullif(regexp_extract(ga_session_id, '^(?:GS\d\.\d\.)?s?(\d+)(?:[$.].*)?$', 1), ''), ga_session_id
        ) as session_id,
        list_transform(
            [event_link, session_link],
            lambda link: case
                when lower(link[2]) not in ('organic', 'referral') or link[2] is null or coalesce(page_referrer, gclid) is null
                    then list_transform(link, lambda text: case when text not like '(%)' then text end)
            end
        ) as links,
        -- batches share a time: the models read a page view before the other events of its time
        micros * 2 + if(event_name = 'page_view', 0, 1) as place
    from named
),

session_starts as (
    select session_id, min(place) as place
    from cleaned
    where last_click is not null
    group by session_id
),

linked as (
    select
        cleaned.*,
        links[1] as own,
        case
            when (cleaned.session_id is null or session_starts.place is not null)
                and coalesce(lower(links[1][1]) = lower(links[2][1]), true)
                then links[2]
        end as completion
    from cleaned
    left join session_starts using (session_id, place)
),

priced as (
    select
        *,
        list_filter(
            case event_name
                when 'purchase' then [amount, sale ->> '$.purchase_revenue']
                when 'generate_lead' then [amount]
                when 'refund' then [amount, sale ->> '$.refund_value']
            end,
            lambda each: each is not null
        ) as amounts,
        list_extract(list_filter(
            [case event_name
                when 'purchase' then sale ->> '$.purchase_revenue_in_usd'
                when 'refund' then sale ->> '$.refund_value_in_usd'
            end],
            lambda each: try_cast(each as double) <> 0
        ), 1) as amount_in_usd,
        case
            when event_name = 'refund'
                then list_sum(list_transform(json_extract(lines, '$[*]'), lambda line: coalesce(
                    try_cast(line ->> '$.item_refund' as decimal(18, 6)),
                    try_cast(line ->> '$.price' as decimal(18, 6)) * coalesce(try_cast(line ->> '$.quantity' as integer), 1)
                )))::varchar
        end as refunded_lines
    from linked
),

valued as (
    select
        *,
        -- a zero is the amount only if no other member has one
        coalesce(
            list_extract(list_filter(amounts, lambda each: try_cast(each as double) is distinct from 0), 1),
            refunded_lines,
            amounts[1]
        ) as event_amount
    from priced
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
    -- a page view of a visitor without consent counts, as a placeholder is no visitor
    coalesce(user_pseudo_id, case when event_name not in ('purchase', 'generate_lead', 'refund') then '(not set)' end) as anon_id,
    session_id,
    user_id,
    page_location as url,
    null as path,
    page_referrer as referrer,
    case when json_valid(device) then device ->> '$.web_info.browser' end as user_agent,
    case when currency is null or event_amount is null then coalesce(amount_in_usd, event_amount) else event_amount end as value,
    case
        when currency is null and amount_in_usd is not null or event_amount is null and amount_in_usd is not null then 'USD'
        when event_name in ('purchase', 'generate_lead', 'refund') then currency
    end as currency,
    coalesce(nullif(transaction_id, '(not set)'), sale ->> '$.transaction_id') as order_id,
    case event_name when 'purchase' then 'purchase' when 'generate_lead' then 'lead' end as conversion_type,
    coalesce(own[1], completion[1]) as source,
    coalesce(own[2], completion[2]) as medium,
    coalesce(own[3], completion[3]) as campaign,
    coalesce(own[4], completion[4]) as campaign_id,
    coalesce(own[5], completion[5]) as content,
    coalesce(own[6], completion[6]) as term,
    concat_ws(
        '&', 'gclid=' || url_encode(gclid), 'dclid=' || url_encode(dclid), 'srsltid=' || url_encode(srsltid),
        case
            when completion is not null then 'adgroupid=' || url_encode(last_click ->> '$.google_ads_campaign.ad_group_id')
        end
    ) as click_ids,
    json_object('event_name', event_name, 'page_title', page_title) as properties
from valued

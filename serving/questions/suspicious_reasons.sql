/*
title: Suspicious touches by reason
description: >-
  Touches that probably no genuine visitor made, and the revenue that the model credits to them. A touch
  with two reasons counts for both.
uses: [period]
columns:
  reason: {title: Reason}
  meaning: {title: Meaning, unit: sentence}
  touches: {title: Touches, unit: count}
  excluded_touches: {title: Excluded, unit: count, description: Touches that get no credit because their site has exclude_suspicious.}
  conversions: {title: Conversions, unit: count, description: Credit of the touches under the chosen model.}
  conversion_value_micros: {title: Credited revenue, unit: money, description: Revenue that other touches would get if these were excluded.}
  last_at: {title: Last, unit: time, description: The time of the latest one in UTC.}
*/
with touches as (
    select reason, touchpoint_id, is_excluded, occurred_at
    from suspicious_touches, period
    where occurred_at >= starts_at and occurred_at < ends_at and ($platform is null or platform = $platform)
),

credited as (
    select touchpoint_id, sum(weight) as conversions, sum(attributed_value_micros)::bigint as value_micros
    from attribution_links
    where attribution_model = $model and conversion_type = $conversion_type
        and touchpoint_id in (select touchpoint_id from touches)
    group by touchpoint_id
)

select
    replace(reason, '_', ' ') as reason,
    case reason
        when 'bot' then 'The visitor is a bot, and its site keeps bots.'
        when 'data_centre' then 'The address belongs to a data centre.'
        when 'no_page_view' then 'An affiliate sent a click, but the visitor saw no page around it: cookie stuffing.'
        when 'just_before_conversion' then 'An affiliate''s touch came seconds before the order, when the visitor was already buying.'
        when 'impossible_time_to_convert' then 'The order came faster after the click than anybody can buy.'
        when 'click_flooding_by_visitor' then 'One visitor clicked more often in an hour than a person does.'
        when 'click_flooding_by_address' then 'One address clicked more often in an hour than people do.'
    end as meaning,
    count(*) as touches,
    count(*) filter (where is_excluded) as excluded_touches,
    coalesce(sum(conversions), 0) as conversions,
    coalesce(sum(value_micros), 0)::bigint as conversion_value_micros,
    max(occurred_at) as last_at
from touches
left join credited using (touchpoint_id)
group by touches.reason
order by conversion_value_micros desc, touches desc, touches.reason

-- Matomo: visits with their actions, as Live.getLastVisitsDetails returns them (JSON).
-- source: https://developer.matomo.org/api-reference/reporting-api#Live
-- source: https://github.com/matomo-org/matomo/tree/5.x-dev/plugins/Live
-- export: ?module=API&method=Live.getLastVisitsDetails&format=JSON&filter_limit=-1&idSite=1&period=range&date=...; or Visits Log, Export.
-- kind: events
-- required: idVisit, visitorId, actionDetails
-- optional: idSite, userId, referrerType, referrerName, referrerKeyword, referrerUrl, campaignName, campaignKeyword
-- optional: campaignSource, campaignMedium, campaignContent, campaignId, adClickId, adProviderId, siteCurrency
--
-- A visit is a session, and each of its actions an event. Matomo removes the campaign's parameters from URLs, so the visit's
-- campaign counts for its events. An order is a purchase, and a goal a conversion that is called as the goal.
-- Carts are no orders. visitIp is never read.
with visits as (
    select *, case when json_valid(actionDetails) then json_extract(actionDetails::json, '$[*]') end as actions
    from source
),

actions as (
    select
        * exclude (actions),
        unnest(actions) as a,
        generate_subscripts(actions, 1) as position
    from visits
)

select
    _row,
    idVisit || '.' || coalesce(a ->> '$.pageId', position::varchar)
    || case when a ->> '$.type' in ('goal', 'ecommerceOrder') then '.' || coalesce(a ->> '$.orderId', a ->> '$.goalId', '') else '' end
        as event_id,
    coalesce(idSite, 'matomo') as site_id,
    case a ->> '$.type'
        when 'action' then 'PAGE_VIEW'
        when 'ecommerceOrder' then 'CONVERSION'
        when 'goal' then 'CONVERSION'
        when 'search' then 'SEARCH'
        when 'outlink' then 'OUTBOUND_CLICK'
        when 'download' then 'FILE_DOWNLOAD'
        else 'CUSTOM'
    end as type,
    time_of_epoch(a ->> '$.timestamp') || 'Z' as occurred_at,
    visitorId as anon_id,
    idVisit as session_id,
    userId as user_id,
    a ->> '$.url' as url,
    case when position = 1 then referrerUrl end as referrer,
    case when a ->> '$.type' in ('goal', 'ecommerceOrder') then a ->> '$.revenue' end as value,
    case when a ->> '$.type' in ('goal', 'ecommerceOrder') then siteCurrency end as currency,
    a ->> '$.orderId' as order_id,
    case a ->> '$.type' when 'ecommerceOrder' then 'purchase' when 'goal' then lower(coalesce(a ->> '$.goalName', 'goal')) end
        as conversion_type,
    coalesce(a ->> '$.pageTitle', a ->> '$.title') as title,
    case when referrerType = 'campaign' then coalesce(campaignSource, adProviderId) end as source,
    case when referrerType = 'campaign' then campaignMedium end as medium,
    case when referrerType = 'campaign' then coalesce(campaignName, referrerName) end as campaign,
    case when referrerType = 'campaign' then campaignId end as campaign_id,
    case when referrerType = 'campaign' then campaignContent end as content,
    case when referrerType = 'campaign' then coalesce(campaignKeyword, referrerKeyword) end as term,
    -- Matomo names the platform of a click id, whose parameter has another name
    map {'google': 'gclid=', 'bing': 'msclkid=', 'facebook': 'fbclid=', 'linkedin': 'li_fat_id=', 'yandex': 'yclid='}[adProviderId]
    || url_encode(adClickId) as click_ids,
    json_merge_patch('{}', json_object(
        'event_name', coalesce(a ->> '$.eventAction', a ->> '$.goalName', a ->> '$.type'), 'event_category', a ->> '$.eventCategory',
        'event_label', a ->> '$.eventName'
    )) as properties
from actions
where a ->> '$.type' is distinct from 'ecommerceAbandonedCart'

-- CallRail: calls, as an export of the call log.
-- source: https://support.callrail.com/hc/en-us/articles/5711790741773
-- source: https://apidocs.callrail.com/#calls
-- export: Activity, Calls, Export, CSV; or Reports, Call Log, Export.
-- kind: interactions, conversions
-- required: status = Call Status | Answered | Call Type
-- required: started = Start Time | Call Start Time | Call Time | Date/Time
-- required: source_name = Source | Source Name
-- required: phone = Phone Number | Customer Phone Number | Caller Phone Number | Caller's Phone Number
-- optional: id = Call ID | Id | Call Id
-- optional: direction = Direction | Call Direction
-- optional: email = Email | Customer Email
-- optional: medium = Medium
-- optional: campaign = Campaign
-- optional: keywords = Keywords | Keyword
-- optional: gclid = Google Ads gclid | GCLID | Google Click ID
-- optional: msclkid = Microsoft Ads msclkid | MSCLKID
-- optional: fbclid = Facebook fbclid | FBCLID
-- optional: utm_source, utm_medium, utm_campaign, utm_content, utm_term
-- optional: value = Value | Call Value
-- optional: landing_page = Landing Page | Landing Page URL
-- optional: referrer = Referrer | Referrer Domain
-- optional: number_name = Number Name | Tracking Number Name
--
-- A call is a touch of the type call; calls by an agent are none. The hash of the caller's number is the visitor. A call with a
-- value is a conversion of the type `call`, at the same time, in the org's currency. UTM parameters count before CallRail's source.
-- Times have no zone: CallRail writes them in that of the company.
with calls as (
    select
        *,
        'phone:' || case when regexp_matches(phone, '^[0-9a-f]{64}$') then phone end as visitor_id,
        'email:' || case when regexp_matches(email, '^[0-9a-f]{64}$') then email end as customer_id,
        'callrail:' || coalesce(id, md5(concat_ws('|', started, phone, number_name, source_name))) as call_id,
        coalesce(utm_source, case when gclid is not null then 'google' when msclkid is not null then 'bing' end, source_name) as touch_source,
        coalesce(utm_medium, case when coalesce(gclid, msclkid) is not null then 'cpc' end, medium) as touch_medium
    from source
    where not regexp_matches(lower(coalesce(direction, status)), 'outbound')
)

select
    _row,
    'interactions' as _kind,
    started as occurred_at,
    visitor_id,
    customer_id,
    call_id as interaction_id,
    'call' as touch_type,
    touch_source as source,
    touch_medium as medium,
    coalesce(utm_campaign, campaign) as campaign,
    utm_content as content,
    coalesce(utm_term, keywords) as term,
    landing_page,
    null as conversion_id,
    null as conversion_type,
    null as "value"
from calls

union all

select
    _row,
    'conversions' as _kind,
    started as occurred_at,
    visitor_id,
    customer_id,
    null as interaction_id,
    null as touch_type,
    null as source,
    null as medium,
    null as campaign,
    null as content,
    null as term,
    null as landing_page,
    call_id as conversion_id,
    'call' as conversion_type,
    "value"
from calls
where regexp_matches("value", '[1-9]')

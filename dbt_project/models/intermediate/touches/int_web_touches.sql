with

bot_events as (
    select * from {{ ref('int_bot_events') }}
    where not may_touch
),

-- The order of a bot can count. Its page is no touch.
events as (
    select sessionized.*
    from {{ ref('int_sessionized_events') }} as sessionized
    left join bot_events using (org_id, site_id, event_id)
    where bot_events.event_id is null
),

links as (
    select
        *,
        {{ without_www('host') }} as bare_host
    from {{ ref('int_links') }}
),

referrers as (
    select
        *,
        {{ without_www('host') }} as bare_host
    from {{ ref('int_referrers') }}
),

sources as (
    select * from {{ ref('int_sources') }}
),

click_ids as (
    select * from {{ ref('click_ids') }}
),

clicks as (
    select * from {{ ref('stg_raw__ad_clicks') }}
),

ads as (
    select distinct
        org_id,
        ad_id
    from {{ ref('stg_raw__ad_spend') }}
    where ad_id is not null
),

-- Links have many contents. Only the contents of ads' addresses can identify an ad.
ad_contents as (
    select distinct
        org_id,
        content
    from {{ ref('int_ad_destinations') }}
    where content is not null
),

user_agents as (
    select * from {{ ref('stg_raw__user_agents') }}
),

addresses as (
    select * from {{ ref('stg_raw__addresses') }}
),

converters as (
    select * from {{ ref('int_sampled_converters') }}
),

pages as (
    select
        *,
        row_number() over session as page_number,
        {{ last_known('campaign_key', 'event_number') }} over earlier_pages as previous_campaign_key,
        max(case when type = 'PAGE_VIEW' then 1 else 0 end) over whole_session as page_views
    from events
    where is_page
    window
        whole_session as (partition by org_id, site_id, visitor_id, session_id),
        session as (partition by org_id, site_id, visitor_id, session_id order by event_number),
        earlier_pages as (
            partition by org_id, site_id, visitor_id, session_id
            order by event_number
            rows between unbounded preceding and 1 preceding
        )
),

-- The landing of a session is a touch, and so is each later page with a new campaign.
touches as (
    select * from pages
    where page_number = 1
        or {{ is_new_campaign('campaign_key', 'previous_campaign_key') }}
),

-- The link of an own page has no campaign_key here, so its parameters and its event's source do not count.
with_link as (
    select
        touches.*,
        {%- for parameter in ['utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term', 'utm_id', 'click_id'] %}
        case when touches.campaign_key = links.campaign_key then links.{{ parameter }} end as {{ parameter }},
        {%- endfor %}
        case when touches.campaign_key is not distinct from links.campaign_key then links.given_channel end as given_channel,
        links.campaign_id as url_campaign_id,
        links.campaign_id_platform as url_campaign_platform,
        links.adset_id as url_adset_id,
        links.ad_id as url_ad_id,
        links.ref,
        links.creator_code,
        click_ids.click_id_type,
        click_ids.source as click_source,
        click_ids.medium as click_medium,
        click_ids.platform as click_platform,
        click_ids.is_paid_evidence,
        coalesce(referrers.is_ignored, false) as is_ignored_referrer,
        coalesce(referrers.is_internal or referrers.bare_host = links.bare_host, false) as is_own_referrer,
        case
            when referrers.is_internal or referrers.is_ignored or referrers.bare_host = links.bare_host then null
            else referrers.host
        end as referrer_host
    from touches
    left join links using (link_id)
    left join click_ids
        on case when touches.campaign_key = links.campaign_key then links.click_id_type end = click_ids.click_id_type
    left join referrers
        on touches.org_id = referrers.org_id
        and touches.referrer = referrers.referrer
),

with_referrer as (
    select
        with_link.*,
        case when sources.category in ('SEARCH', 'ADS') then sources.name else sources.bare_source end as referrer_source,
        case sources.category
            when 'SEARCH' then 'organic'
            when 'ADS' then 'display'
            when 'AI' then 'ai-assistant'
            else 'referral'
        end as referrer_medium
    from with_link
    left join sources on with_link.referrer_host = sources.source
),

-- The link's own source comes first, then the platform's click id, then a partner's code, then the referrer. A link with
-- campaign parameters but without a source is not direct traffic, because somebody tagged it.
with_source as (
    select
        {{ hash_key(['with_referrer.org_id', 'with_referrer.site_id', 'with_referrer.event_id']) }} as touchpoint_id,
        with_referrer.org_id,
        with_referrer.site_id,
        with_referrer.visitor_id,
        with_referrer.customer_id,
        with_referrer.session_id,
        with_referrer.occurred_at,
        with_referrer.page_number = 1 as is_landing,
        with_referrer.page_views > 0 as has_page_view,
        with_referrer.is_later_session
        and (with_referrer.is_ignored_referrer or with_referrer.is_own_referrer and with_referrer.continues_visit)
            as is_return,
        with_referrer.user_agent,
        with_referrer.ip_hash,
        with_referrer.event_id,
        with_referrer.type,
        with_referrer.sample_percent,
        with_referrer.is_replay,
        with_referrer.given_channel,
        case
            when utm_source is not null then lower(utm_source)
            when click_source is not null then click_source
            when ref is not null and not is_own_referrer then lower(ref)
            when creator_code is not null then 'creator'
            when referrer_source is not null then referrer_source
            when campaign_key is not null then '(not set)'
            else '(direct)'
        end as source,
        case
            when utm_medium is not null then lower(utm_medium)
            when utm_source is not null and (is_paid_evidence or click_medium = 'email') then click_medium
            when utm_source is not null then '(not set)'
            when click_source is not null then click_medium
            when ref is not null and not is_own_referrer then 'referral'
            when creator_code is not null then 'affiliate'
            when referrer_source is not null then referrer_medium
            when campaign_key is not null then '(not set)'
            else '(none)'
        end as medium,
        utm_campaign as campaign,
        utm_content as content,
        utm_term as term,
        utm_id as campaign_id,
        ads.ad_id,
        click_id_type,
        with_referrer.click_id,
        creator_code,
        page_url as landing_url,
        referrer_host,
        clicks.campaign_id as clicked_campaign_id,
        clicks.adset_id as clicked_adset_id,
        clicks.ad_id as clicked_ad_id,
        url_campaign_id,
        url_campaign_platform,
        url_adset_id,
        url_ad_id,
        ad_contents.content as ad_content
    from with_referrer
    left join ads
        on with_referrer.org_id = ads.org_id
        and with_referrer.utm_content = ads.ad_id
    left join ad_contents
        on with_referrer.org_id = ad_contents.org_id
        and with_referrer.utm_content = ad_contents.content
    left join clicks
        on with_referrer.org_id = clicks.org_id
        and with_referrer.click_platform = clicks.platform
        and with_referrer.click_id = clicks.click_id
),

-- Without a visitor a page view is a touch only where a source led the reader there, because any other can be the second
-- page of a visit. A reader who consents sends the start of the visit again: it counted before, unless it was Direct.
-- Nobody came by Direct where a server reports a conversion without a page view, where a visitor returns from a payment, or
-- where a tool starts a session inside a visit, at midnight or by a link on an own page.
final as (
    select
        with_source.touchpoint_id,
        with_source.org_id,
        with_source.site_id,
        with_source.visitor_id,
        with_source.customer_id,
        with_source.session_id,
        with_source.occurred_at,
        with_source.is_landing,
        with_source.ip_hash,
        with_source.event_id,
        with_source.given_channel,
        with_source.source,
        with_source.medium,
        with_source.campaign,
        with_source.content,
        with_source.term,
        with_source.campaign_id,
        with_source.ad_id,
        with_source.click_id_type,
        with_source.click_id,
        with_source.creator_code,
        with_source.landing_url,
        with_source.referrer_host,
        with_source.clicked_campaign_id,
        with_source.clicked_adset_id,
        with_source.clicked_ad_id,
        with_source.url_campaign_id,
        with_source.url_campaign_platform,
        with_source.url_adset_id,
        with_source.url_ad_id,
        with_source.ad_content,
        {{ link_key([
            'clicked_campaign_id', 'clicked_adset_id', 'clicked_ad_id', 'url_campaign_id', 'url_campaign_platform',
            'url_adset_id', 'url_ad_id', 'ad_content', 'creator_code',
        ]) }} as link_key,
        user_agents.device_type,
        addresses.country,
        coalesce(addresses.is_data_centre, false) as is_data_centre,
        case
            when with_source.occurred_at <= converters.last_converted_at then 1
            when with_source.is_replay and with_source.source <> '(direct)' then 0
            else {{ sample_weight('with_source.sample_percent') }}
        end as sample_weight
    from with_source
    left join user_agents using (user_agent)
    left join addresses using (ip_hash)
    left join converters using (org_id, site_id, visitor_id)
    where with_source.source <> '(direct)' and (with_source.visitor_id is not null or with_source.type = 'PAGE_VIEW')
        or with_source.visitor_id is not null and with_source.has_page_view and not with_source.is_return
)

select * from final

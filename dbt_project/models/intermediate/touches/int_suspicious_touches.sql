{%- set before = var('suspicious_seconds_before_conversion') -%}
{%- set to_convert = var('suspicious_seconds_to_convert') -%}
with

touchpoints as (
    select * from {{ ref('int_touchpoints') }}
),

web_touches as (
    select * from {{ ref('int_web_touches') }}
),

bot_events as (
    select * from {{ ref('int_bot_events') }}
    where not is_excluded
),

page_views as (
    select * from {{ ref('int_events') }}
    where type = 'PAGE_VIEW'
),

conversions as (
    select * from {{ ref('int_counted_conversions') }}
),

transactions as (
    select * from {{ ref('int_affiliate_transactions') }}
),

sites as (
    select * from {{ ref('stg_raw__sites') }}
),

networks as (
    select distinct
        org_id,
        platform,
        true as is_network
    from transactions
),

clicks as (
    select
        touchpoints.org_id,
        touchpoints.touchpoint_id,
        touchpoints.visitor_id,
        touchpoints.person_key,
        touchpoints.occurred_at,
        touchpoints.touch_type,
        touchpoints.platform,
        coalesce(touchpoints.campaign_id, touchpoints.campaign) as campaign,
        coalesce(touchpoints.creator_code, touchpoints.adset_id) as affiliate,
        lower(touchpoints.channel) = 'affiliates' or networks.is_network is not null as is_affiliate
    from touchpoints
    left join networks using (org_id, platform)
    where touchpoints.touch_type = 'click'
        or lower(touchpoints.channel) = 'affiliates'
        or networks.is_network
),

-- Cookie stuffing: the network receives a click, but no page opens, or it opens where nobody can see it. The rule applies
-- only while the org measures its pages.
measured as (
    select
        org_id,
        min(occurred_at) as first_page_view_at,
        max(occurred_at) as last_page_view_at
    from page_views
    group by org_id
),

affiliate_clicks as (
    select clicks.*
    from clicks
    inner join measured
        on clicks.org_id = measured.org_id
        and clicks.occurred_at between measured.first_page_view_at and measured.last_page_view_at
    where clicks.is_affiliate
        and clicks.visitor_id is not null
        and clicks.touch_type in ('click', 'visit')
),

visible_pages as (
    select
        page_views.org_id,
        page_views.visitor_id,
        page_views.occurred_at
    from page_views
    inner join (select distinct org_id, visitor_id from affiliate_clicks) as visitors using (org_id, visitor_id)
    where coalesce({{ json_text('page_views.properties', 'visible') }}, 'true') <> 'false'
        and coalesce({{ json_text('page_views.properties', 'framed') }}, 'false') <> 'true'
),

clicks_and_pages as (
    select
        org_id,
        visitor_id,
        occurred_at,
        touchpoint_id,
        cast(null as timestamp) as page_at
    from affiliate_clicks

    union all

    select
        org_id,
        visitor_id,
        occurred_at,
        cast(null as {{ dbt.type_string() }}) as touchpoint_id,
        occurred_at as page_at
    from visible_pages
),

-- One pass finds the last page before each click and the first after it. A join of a robot's clicks with all its pages
-- would grow with the square of their number.
neighbouring_pages as (
    select
        org_id,
        touchpoint_id,
        occurred_at,
        max(page_at) over (
            partition by org_id, visitor_id order by occurred_at range unbounded preceding
        ) as last_page_at,
        min(page_at) over (
            partition by org_id, visitor_id order by occurred_at range between current row and unbounded following
        ) as next_page_at
    from clicks_and_pages
),

nearest_pages as (
    select
        org_id,
        touchpoint_id,
        86400 * least(
            abs({{ days_between('occurred_at', 'coalesce(last_page_at, next_page_at)') }}),
            abs({{ days_between('occurred_at', 'coalesce(next_page_at, last_page_at)') }})
        ) as seconds
    from neighbouring_pages
    where touchpoint_id is not null
),

-- The first conversion after a click.
next_conversions as (
    select
        clicks.org_id,
        clicks.touchpoint_id,
        clicks.is_affiliate,
        clicks.touch_type,
        min({{ days_between('clicks.occurred_at', 'conversions.occurred_at') }} * 86400) as seconds
    from clicks
    inner join conversions using (org_id, person_key)
    where conversions.occurred_at >= clicks.occurred_at
        and conversions.occurred_at <= clicks.occurred_at + interval '1 second' * {{ [before, to_convert] | max }}
    group by clicks.org_id, clicks.touchpoint_id, clicks.is_affiliate, clicks.touch_type
),

-- Few visitors click often. Only their clicks are counted by campaign.
busy_visitors as (
    select
        org_id,
        visitor_id,
        {{ dbt.date_trunc('hour', 'occurred_at') }} as hour
    from clicks
    where touch_type = 'click' and visitor_id is not null
    group by org_id, visitor_id, {{ dbt.date_trunc('hour', 'occurred_at') }}
    having count(*) > {{ var('suspicious_clicks_per_visitor') }}
),

floods_of_visitors as (
    select
        clicks.org_id,
        clicks.touchpoint_id,
        busy_visitors.hour,
        count(*) over (
            partition by
                clicks.org_id, clicks.visitor_id, busy_visitors.hour, clicks.platform, clicks.campaign, clicks.affiliate
        ) as clicks
    from clicks
    inner join busy_visitors
        on clicks.org_id = busy_visitors.org_id
        and clicks.visitor_id = busy_visitors.visitor_id
        and {{ dbt.date_trunc('hour', 'clicks.occurred_at') }} = busy_visitors.hour
    where clicks.touch_type = 'click'
),

floods_of_addresses as (
    select
        clicks.org_id,
        clicks.touchpoint_id,
        {{ dbt.date_trunc('hour', 'clicks.occurred_at') }} as hour,
        count(*) over (
            partition by
                clicks.org_id,
                web_touches.ip_hash,
                {{ dbt.date_trunc('hour', 'clicks.occurred_at') }},
                clicks.platform,
                clicks.campaign,
                clicks.affiliate
        ) as clicks
    from clicks
    inner join web_touches using (org_id, touchpoint_id)
    where clicks.touch_type = 'click' and web_touches.ip_hash is not null
),

reasons as (
    select
        web_touches.org_id,
        web_touches.touchpoint_id,
        'bot' as reason,
        {{ json_record([('evidence', 'bot_events.evidence')]) }} as evidence
    from web_touches
    inner join bot_events using (org_id, site_id, event_id)

    union all

    select
        org_id,
        touchpoint_id,
        'data_centre' as reason,
        {{ json_record([('country', 'country')]) }} as evidence
    from web_touches
    where is_data_centre

    union all

    select
        org_id,
        touchpoint_id,
        'no_page_view' as reason,
        {{ json_record([
            ('seconds_to_nearest_visible_page_view', 'seconds'),
            ('threshold_seconds', var('suspicious_page_view_seconds')),
        ]) }} as evidence
    from nearest_pages
    where seconds is null or seconds > {{ var('suspicious_page_view_seconds') }}

    union all

    select
        org_id,
        touchpoint_id,
        'just_before_conversion' as reason,
        {{ json_record([('seconds_before_conversion', 'seconds'), ('threshold_seconds', before)]) }} as evidence
    from next_conversions
    where is_affiliate and seconds <= {{ before }}

    union all

    select
        org_id,
        touchpoint_id,
        'impossible_time_to_convert' as reason,
        {{ json_record([('seconds_before_conversion', 'seconds'), ('threshold_seconds', to_convert)]) }} as evidence
    from next_conversions
    where touch_type = 'click' and seconds < {{ to_convert }}
    {% for who, flood in [('visitor', 'floods_of_visitors'), ('address', 'floods_of_addresses')] %}
    {%- set threshold = var('suspicious_clicks_per_' ~ who) %}
    union all

    select
        org_id,
        touchpoint_id,
        'click_flooding_by_{{ who }}' as reason,
        {{ json_record([('clicks', 'clicks'), ('hour', 'hour'), ('threshold_clicks', threshold)]) }} as evidence
    from {{ flood }}
    where clicks > {{ threshold }}
    {% endfor %}
),

org_settings as (
    select
        org_id,
        bool_or(exclude_suspicious) as exclude_suspicious
    from sites
    group by org_id
),

final as (
    select
        reasons.org_id,
        reasons.touchpoint_id,
        reasons.reason,
        reasons.evidence,
        -- A touch without a site follows its org: one site that excludes suspicious touches is enough.
        coalesce(sites.exclude_suspicious, org_settings.exclude_suspicious, false) as is_excluded,
        touchpoints.site_id,
        touchpoints.visitor_id,
        touchpoints.occurred_at,
        touchpoints.channel,
        touchpoints.platform,
        touchpoints.campaign_id,
        touchpoints.campaign,
        touchpoints.creator_code
    from reasons
    inner join touchpoints using (org_id, touchpoint_id)
    left join sites
        on touchpoints.org_id = sites.org_id
        and touchpoints.site_id = sites.site_id
    left join org_settings on touchpoints.org_id = org_settings.org_id
)

select * from final

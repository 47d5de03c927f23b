with

touches as (
    select * from {{ ref('int_touches') }}
),

touch_channels as (
    select * from {{ ref('int_touch_channels') }}
),

touch_matches as (
    select * from {{ ref('int_touch_matches') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

visitor_customers as (
    select * from {{ ref('int_visitor_customers') }}
),

shared_ids as (
    select * from {{ ref('int_shared_ids') }}
),

-- Only paid touches, touches that name their platform and touches with the code of a creator with a fee have a campaign.
touch_groups as (
    select
        touch_channels.org_id,
        touch_channels.given_touch_type,
        touch_channels.given_channel,
        touch_channels.given_platform,
        touch_channels.source,
        touch_channels.medium,
        touch_channels.campaign,
        touch_channels.campaign_id as given_campaign_id,
        touch_channels.adset_id as given_adset_id,
        touch_channels.ad_id as given_ad_id,
        touch_channels.click_id_type,
        touch_channels.link_key,
        orgs.timezone,
        touch_matches.valid_from,
        touch_matches.valid_until,
        case
            when touch_channels.given_channel is null then coalesce(touch_matches.channel, touch_channels.channel)
            else touch_channels.channel
        end as channel,
        touch_channels.is_direct,
        case
            when not touch_channels.is_web then touch_channels.touch_type
            when touch_channels.is_paid or touch_channels.click_id_type is not null then 'click'
            else 'visit'
        end as touch_type,
        coalesce(
            touch_matches.platform,
            touch_channels.named_platform,
            case when touch_channels.is_paid = false then '(organic)' else '(unmatched)' end
        ) as platform,
        coalesce(touch_matches.campaign_id, touch_channels.campaign_id) as campaign_id,
        coalesce(
            touch_matches.campaign_match,
            case when touch_channels.campaign_id is not null then 'declared' else 'none' end
        ) as campaign_match,
        -- A web link's ad id comes from utm_content. It is a guess until its campaign agrees.
        case
            when touch_channels.is_web or coalesce(touch_channels.adset_id, touch_channels.ad_id) is null
                then touch_matches.adset_id
            else touch_channels.adset_id
        end as adset_id,
        case
            when touch_channels.is_web or coalesce(touch_channels.adset_id, touch_channels.ad_id) is null
                then touch_matches.ad_id
            else touch_channels.ad_id
        end as ad_id
    from touch_channels
    inner join orgs using (org_id)
    left join touch_matches using (touch_group_id)
),

with_own_customer as (
    select
        touches.*,
        {{ own_customer('touches') }} as own_customer_id
    from touches
    left join shared_ids
        on {{ shared_customer('touches') }}
),

identified as (
    select
        with_own_customer.*,
        coalesce(with_own_customer.own_customer_id, visitor_customers.customer_id) as known_customer_id
    from with_own_customer
    left join visitor_customers
        on {{ known_customer('with_own_customer', customer_id='with_own_customer.own_customer_id') }}
),

final as (
    select
        identified.touchpoint_id,
        identified.org_id,
        identified.site_id,
        identified.visitor_id,
        identified.known_customer_id as customer_id,
        identified.session_id,
        identified.occurred_at,
        touch_groups.touch_type,
        touch_groups.channel,
        touch_groups.platform,
        identified.source,
        identified.medium,
        identified.campaign,
        identified.content,
        identified.term,
        touch_groups.campaign_id,
        touch_groups.adset_id,
        touch_groups.ad_id,
        identified.click_id_type,
        identified.click_id,
        identified.creator_code,
        identified.landing_url,
        identified.referrer_host,
        identified.device_type,
        touch_groups.is_direct,
        touch_groups.campaign_match,
        coalesce(
            'c:' || identified.known_customer_id,
            'v:' || identified.visitor_id,
            'touch:' || identified.touchpoint_id
        ) as person_key,
        cast(identified.sample_weight as decimal(9, 6)) as sample_weight,
        identified.country
    from identified
    inner join touch_groups
        on identified.org_id = touch_groups.org_id
        and identified.given_touch_type is not distinct from touch_groups.given_touch_type
        and identified.given_channel is not distinct from touch_groups.given_channel
        and identified.given_platform is not distinct from touch_groups.given_platform
        and identified.source is not distinct from touch_groups.source
        and identified.medium is not distinct from touch_groups.medium
        and identified.campaign is not distinct from touch_groups.campaign
        and identified.campaign_id is not distinct from touch_groups.given_campaign_id
        and identified.adset_id is not distinct from touch_groups.given_adset_id
        and identified.ad_id is not distinct from touch_groups.given_ad_id
        and identified.click_id_type is not distinct from touch_groups.click_id_type
        and identified.link_key is not distinct from touch_groups.link_key
        and (
            touch_groups.valid_from is null
            or {{ reporting_date('identified.occurred_at', 'touch_groups.timezone') }} >= touch_groups.valid_from
        )
        and (
            touch_groups.valid_until is null
            or {{ reporting_date('identified.occurred_at', 'touch_groups.timezone') }} < touch_groups.valid_until
        )
)

select * from final
order by org_id, occurred_at, touchpoint_id

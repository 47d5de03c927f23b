with

distinct_touches as (
    select * from {{ ref('int_distinct_touches') }}
),

traffic_channels as (
    select * from {{ ref('int_traffic_channels') }}
),

sources as (
    select * from {{ ref('int_sources') }}
),

spend as (
    select * from {{ ref('int_spend_reports') }}
),

channels as (
    select * from {{ ref('channels') }}
),

click_ids as (
    select * from {{ ref('click_ids') }}
),

with_channel as (
    select
        distinct_touches.*,
        coalesce(distinct_touches.given_channel, traffic_channels.channel) as channel,
    from distinct_touches
    left join traffic_channels using (traffic_source, traffic_medium, traffic_campaign)
),

-- The platform by what the touch itself says, before any campaign is known. A click id that organic links carry too
-- (fbclid) has the last word only where nobody else has one.
with_platform as (
    select
        with_channel.*,
        channels.is_paid,
        coalesce(channels.is_direct, false) as is_direct,
        case
            when with_channel.given_platform is not null
                then coalesce(given_platforms.platform, lower(trim(with_channel.given_platform)))
            when channels.is_paid = false then null
            else coalesce(
                case when click_ids.is_paid_evidence then click_ids.platform end,
                source_platforms.platform,
                click_ids.platform,
                case when channels.channel is null then channel_platforms.platform end,
                case when channels.channel = 'Affiliates' then nullif(nullif(traffic_source, ''), '(not set)') end
            )
        end as own_platform,
        with_channel.given_platform is not null or channels.is_paid is distinct from false as is_linkable,
    from with_channel
    left join channels on lower(trim(with_channel.channel)) = lower(channels.channel)
    left join click_ids using (click_id_type)
    left join sources as given_platforms on lower(trim(with_channel.given_platform)) = given_platforms.source
    left join sources as source_platforms on with_channel.traffic_source = source_platforms.source
    left join sources as channel_platforms on lower(trim(with_channel.channel)) = channel_platforms.source
),

-- A renamed campaign answers to each of its names: links keep the old one.
campaigns as (
    select
        org_id,
        platform,
        campaign_id,
        {{ name_key('campaign') }} as campaign_key,
    from (select distinct org_id, platform, campaign_id, campaign from spend) as reported
),

ads as (
    select distinct
        org_id,
        platform,
        campaign_id,
        adset_id,
        ad_id,
    from spend
    where ad_id is not null
),

-- Only paid touches, and those that name their platform, can belong to an ad campaign: an e-mail may bear the same name.
candidates as (
    select distinct with_platform.class_id, 1 as preference, 'id' as campaign_match, campaigns.platform, campaigns.campaign_id
    from with_platform
    inner join campaigns
        on with_platform.org_id = campaigns.org_id
        and coalesce(with_platform.campaign_id, with_platform.campaign) = campaigns.campaign_id
        and coalesce(with_platform.own_platform, campaigns.platform) = campaigns.platform
    where with_platform.is_linkable

    union all

    select distinct with_platform.class_id, 2, 'id', ads.platform, ads.campaign_id
    from with_platform
    inner join ads
        on with_platform.org_id = ads.org_id
        and with_platform.ad_id = ads.ad_id
        and coalesce(with_platform.own_platform, ads.platform) = ads.platform
    where with_platform.is_linkable and with_platform.campaign_id is null

    union all

    select distinct with_platform.class_id, 3, 'name', campaigns.platform, campaigns.campaign_id
    from with_platform
    inner join campaigns
        on with_platform.org_id = campaigns.org_id
        and {{ name_key('with_platform.campaign') }} = campaigns.campaign_key
        and coalesce(with_platform.own_platform, campaigns.platform) = campaigns.platform
    where with_platform.is_linkable
),

-- The surest way that leads to exactly one campaign.
unique_candidates as (
    select
        class_id,
        preference,
        min(campaign_match) as campaign_match,
        min(platform) as platform,
        min(campaign_id) as campaign_id,
    from candidates
    group by class_id, preference
    having count(*) = 1
),

matches as (
    select * from (
        select
            *,
            row_number() over (partition by class_id order by preference) as rank,
        from unique_candidates
    ) as ranked
    where rank = 1
),

final as (
    select
        {%- for column in touch_class_columns() %}
        with_platform.{{ column }} as {{ 'given_' if column in ['campaign_id', 'adset_id', 'ad_id'] }}{{ column }},
        {%- endfor %}
        with_platform.channel,
        with_platform.is_direct,
        case
            when not with_platform.is_web then with_platform.touch_type
            when with_platform.is_paid or with_platform.click_id_type is not null then 'click'
            else 'visit'
        end as touch_type,
        coalesce(
            with_platform.own_platform,
            matches.platform,
            case when with_platform.is_paid = false then '(organic)' else '(unmatched)' end
        ) as platform,
        coalesce(matches.campaign_id, with_platform.campaign_id) as campaign_id,
        coalesce(
            matches.campaign_match,
            case when with_platform.campaign_id is not null then 'declared' else 'none' end
        ) as campaign_match,
        -- A web link's ad id is only a guess from utm_content until its campaign agrees.
        case when with_platform.is_web then ads.adset_id else with_platform.adset_id end as adset_id,
        case when with_platform.is_web then ads.ad_id else with_platform.ad_id end as ad_id,
    from with_platform
    left join matches using (class_id)
    left join (
        select org_id, platform, campaign_id, ad_id, min(adset_id) as adset_id
        from ads
        group by org_id, platform, campaign_id, ad_id
    ) as ads
        on with_platform.org_id = ads.org_id
        and matches.platform = ads.platform
        and matches.campaign_id = ads.campaign_id
        and with_platform.ad_id = ads.ad_id
)

select * from final

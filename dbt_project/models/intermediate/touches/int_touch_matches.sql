{#- The ways to find a touch's campaign, the surest first: ids, then a person's decision, then similar texts. -#}
{%- set text = dbt.type_string() -%}
{%- set no_content = 'cast(null as ' ~ text ~ ')' -%}
{%- set any_source = 'cast(null as ' ~ text ~ ')' -%}
{%- set ways = [
    (1, 'id', 'campaign_id', ['coalesce(touches.campaign_id, touches.campaign)']),
    (2, 'id', 'ad_id', ['touches.ad_id', 'touches.campaign_id']),
    (3, 'id', 'adset_id', ['touches.adset_id', 'touches.campaign_id']),
    (5, 'url_parameter', 'campaign_id', ['link_match_keys.url_campaign_id']),
    (6, 'url_parameter', 'ad_id', ['link_match_keys.url_ad_id']),
    (7, 'url_parameter', 'adset_id', ['link_match_keys.url_adset_id']),
    (9, 'alias', 'alias', [name_key('touches.campaign')]),
    (10, 'destination', 'destination', [
        hash_key(['touches.traffic_source', 'touches.traffic_campaign', 'link_match_keys.ad_content']),
        hash_key([any_source, 'touches.traffic_campaign', 'link_match_keys.ad_content']),
    ]),
    (11, 'destination', 'destination', [
        hash_key(['touches.traffic_source', 'touches.traffic_campaign', no_content]),
        hash_key([any_source, 'touches.traffic_campaign', no_content]),
    ]),
] -%}
with

touches as (
    select * from {{ ref('int_touch_channels') }}
),

link_match_keys as (
    select * from {{ ref('int_link_match_keys') }}
),

campaign_match_keys as (
    select * from {{ ref('int_campaign_match_keys') }}
),

campaign_names as (
    select * from {{ ref('int_campaign_names') }}
),

touch_match_keys as (
    {%- for preference, campaign_match, match_key_type, match_keys in ways %}
    {%- for match_key in match_keys %}
    select
        touches.touch_group_id,
        touches.org_id,
        touches.named_platform,
        {{ preference }} as preference,
        '{{ campaign_match }}' as campaign_match,
        '{{ match_key_type }}' as match_key_type,
        {{ match_key }} as match_key
    from touches
    left join link_match_keys using (link_key)
    where touches.is_linkable

    union all
    {% endfor %}
    {%- endfor %}
    -- A creator with an agreed fee is paid, whatever source and platform the link names.
    select
        touches.touch_group_id,
        touches.org_id,
        cast(null as {{ text }}) as named_platform,
        13 as preference,
        'creator_code' as campaign_match,
        'creator_code' as match_key_type,
        lower(trim(link_match_keys.creator_code)) as match_key
    from touches
    inner join link_match_keys using (link_key)
),

candidates as (
    select
        touch_match_keys.touch_group_id,
        touch_match_keys.preference,
        touch_match_keys.campaign_match,
        campaign_match_keys.platform,
        campaign_match_keys.campaign_id,
        campaign_match_keys.adset_id,
        campaign_match_keys.ad_id,
        campaign_match_keys.channel
    from touch_match_keys
    inner join campaign_match_keys
        on touch_match_keys.org_id = campaign_match_keys.org_id
        and touch_match_keys.match_key_type = campaign_match_keys.match_key_type
        and touch_match_keys.match_key = campaign_match_keys.match_key
        and coalesce(touch_match_keys.named_platform, campaign_match_keys.platform) = campaign_match_keys.platform

    union all

    -- The platform reports the campaign of a click id, so the campaign needs no reported spend.
    select
        touches.touch_group_id,
        4 as preference,
        'click_id' as campaign_match,
        touches.click_platform as platform,
        link_match_keys.clicked_campaign_id as campaign_id,
        link_match_keys.clicked_adset_id as adset_id,
        link_match_keys.clicked_ad_id as ad_id,
        cast(null as {{ text }}) as channel
    from touches
    inner join link_match_keys using (link_key)
    where touches.is_linkable and link_match_keys.clicked_campaign_id is not null

    union all

    -- The same holds for a parameter that the platform itself adds to its links.
    select
        touches.touch_group_id,
        8 as preference,
        'declared' as campaign_match,
        link_match_keys.url_campaign_platform as platform,
        link_match_keys.url_campaign_id as campaign_id,
        cast(null as {{ text }}) as adset_id,
        cast(null as {{ text }}) as ad_id,
        cast(null as {{ text }}) as channel
    from touches
    inner join link_match_keys using (link_key)
    where touches.is_linkable
        and touches.campaign_id is null
        and link_match_keys.url_campaign_platform = coalesce(touches.named_platform, link_match_keys.url_campaign_platform)
),

-- A way counts only where it leads to exactly one campaign.
unique_candidates as (
    select
        touch_group_id,
        preference,
        min(campaign_match) as campaign_match,
        min(platform) as platform,
        min(campaign_id) as campaign_id,
        case when min(adset_id) = max(adset_id) and count(adset_id) = count(*) then min(adset_id) end as adset_id,
        case when min(ad_id) = max(ad_id) and count(ad_id) = count(*) then min(ad_id) end as ad_id,
        min(channel) as channel
    from candidates
    group by touch_group_id, preference
    having min(platform) = max(platform) and min(campaign_id) = max(campaign_id)
),

-- A name can have another campaign in another period.
named as (
    select
        touches.touch_group_id,
        12 as preference,
        case when campaign_names.campaign_id is not null then 'name' end as campaign_match,
        campaign_names.platform,
        campaign_names.campaign_id,
        cast(null as {{ text }}) as channel,
        campaign_names.valid_from,
        campaign_names.valid_until
    from touches
    inner join campaign_names
        on touches.org_id = campaign_names.org_id
        and {{ name_key('touches.campaign') }} = campaign_names.name
        and (
            touches.named_platform = campaign_names.platform
            or (touches.named_platform is null and campaign_names.is_on_one_platform)
        )
    where touches.is_linkable
),

ways as (
    select
        touch_group_id,
        preference,
        campaign_match,
        platform,
        campaign_id,
        channel,
        cast(null as date) as valid_from,
        cast(null as date) as valid_until
    from unique_candidates

    union all

    select
        touch_group_id,
        preference,
        campaign_match,
        platform,
        campaign_id,
        channel,
        valid_from,
        valid_until
    from named
),

surest as (
    select
        *,
        min(preference) over (partition by touch_group_id) as surest_preference
    from ways
),

-- The surest way decides the campaign. Among the ways that agree on it, the surest that knows an ad decides the ad, else the
-- surest that knows an ad set decides the ad set.
campaigns as (
    select * from surest
    where preference = surest_preference
),

details as (
    select
        candidates.touch_group_id,
        candidates.campaign_id,
        candidates.adset_id,
        candidates.ad_id,
        row_number() over (
            partition by candidates.touch_group_id, candidates.campaign_id
            order by case when candidates.ad_id is not null then 0 else 1 end, candidates.preference
        ) as rank
    from unique_candidates as candidates
    inner join (select distinct touch_group_id, platform, campaign_id from campaigns) as matched
        using (touch_group_id, platform, campaign_id)
    where coalesce(candidates.adset_id, candidates.ad_id) is not null
),

final as (
    select
        campaigns.touch_group_id,
        campaigns.valid_from,
        campaigns.valid_until,
        campaigns.campaign_match,
        case when campaigns.campaign_id is not null then campaigns.platform end as platform,
        campaigns.campaign_id,
        details.adset_id,
        details.ad_id,
        campaigns.channel
    from campaigns
    left join details
        on campaigns.touch_group_id = details.touch_group_id
        and campaigns.campaign_id = details.campaign_id
        and details.rank = 1
)

select * from final

{#- The ways from a touch to its campaign, the surest first: ids, then what a person decided, then what reads alike. -#}
{%- set no_content = 'cast(null as varchar)' -%}
{%- set any_source = 'cast(null as varchar)' -%}
{%- set ways = [
    (1, 'id', 'campaign_id', ['coalesce(touches.campaign_id, touches.campaign)']),
    (2, 'id', 'ad_id', ['touches.ad_id', 'touches.campaign_id']),
    (3, 'id', 'adset_id', ['touches.adset_id', 'touches.campaign_id']),
    (5, 'url_parameter', 'campaign_id', ['link_clues.url_campaign_id']),
    (6, 'url_parameter', 'ad_id', ['link_clues.url_ad_id']),
    (7, 'url_parameter', 'adset_id', ['link_clues.url_adset_id']),
    (8, 'alias', 'alias', [name_key('touches.campaign')]),
    (9, 'destination', 'destination', [
        hash_key(['touches.traffic_source', 'touches.traffic_campaign', 'link_clues.ad_content']),
        hash_key([any_source, 'touches.traffic_campaign', 'link_clues.ad_content']),
    ]),
    (10, 'destination', 'destination', [
        hash_key(['touches.traffic_source', 'touches.traffic_campaign', no_content]),
        hash_key([any_source, 'touches.traffic_campaign', no_content]),
    ]),
    (11, 'name', 'name', [name_key('touches.campaign')]),
] -%}
with

touches as (
    select * from {{ ref('int_touch_platforms') }}
),

link_clues as (
    select * from {{ ref('int_link_match_keys') }}
),

campaign_clues as (
    select * from {{ ref('int_campaign_match_keys') }}
),

touch_clues as (
    {%- for preference, campaign_match, clue, values in ways %}
    {%- for value in values %}
    select
        touches.class_id,
        touches.org_id,
        touches.own_platform,
        {{ preference }} as preference,
        '{{ campaign_match }}' as campaign_match,
        '{{ clue }}' as clue,
        {{ value }} as value,
    from touches
    left join link_clues using (link_key)
    where touches.is_linkable

    union all
    {% endfor %}
    {%- endfor %}
    -- A creator whose fee is agreed is paid, whatever the link says of itself and its platform.
    select
        touches.class_id,
        touches.org_id,
        null,
        12,
        'creator_code',
        'creator_code',
        lower(trim(link_clues.creator_code)),
    from touches
    inner join link_clues using (link_key)
),

candidates as (
    select
        touch_clues.class_id,
        touch_clues.preference,
        touch_clues.campaign_match,
        campaign_clues.platform,
        campaign_clues.campaign_id,
        campaign_clues.adset_id,
        campaign_clues.ad_id,
        campaign_clues.channel,
    from touch_clues
    inner join campaign_clues
        on touch_clues.org_id = campaign_clues.org_id
        and touch_clues.clue = campaign_clues.clue
        and touch_clues.value = campaign_clues.value
        and coalesce(touch_clues.own_platform, campaign_clues.platform) = campaign_clues.platform

    union all

    -- What the platform itself says of a click needs no report of the campaign's spend.
    select
        touches.class_id,
        4,
        'click_id',
        touches.click_platform,
        link_clues.clicked_campaign_id,
        link_clues.clicked_adset_id,
        link_clues.clicked_ad_id,
        null,
    from touches
    inner join link_clues using (link_key)
    where touches.is_linkable and link_clues.clicked_campaign_id is not null
),

-- A way counts only where it leads to exactly one campaign.
unique_candidates as (
    select
        class_id,
        preference,
        min(campaign_match) as campaign_match,
        min(platform) as platform,
        min(campaign_id) as campaign_id,
        case when min(adset_id) = max(adset_id) and count(adset_id) = count(*) then min(adset_id) end as adset_id,
        case when min(ad_id) = max(ad_id) and count(ad_id) = count(*) then min(ad_id) end as ad_id,
        min(channel) as channel,
    from candidates
    group by class_id, preference
    having min(platform) = max(platform) and min(campaign_id) = max(campaign_id)
),

-- The campaign by the surest way; its ad by the surest that agrees and knows one, else its ad set likewise.
campaigns as (
    select
        *,
        row_number() over (partition by class_id order by preference) as rank,
    from unique_candidates
),

details as (
    select
        candidates.class_id,
        candidates.adset_id,
        candidates.ad_id,
        row_number() over (
            partition by candidates.class_id
            order by case when candidates.ad_id is not null then 0 else 1 end, candidates.preference
        ) as rank,
    from unique_candidates as candidates
    inner join campaigns using (class_id, platform, campaign_id)
    where campaigns.rank = 1 and coalesce(candidates.adset_id, candidates.ad_id) is not null
),

final as (
    select
        campaigns.class_id,
        campaigns.campaign_match,
        campaigns.platform,
        campaigns.campaign_id,
        details.adset_id,
        details.ad_id,
        campaigns.channel,
    from campaigns
    left join details
        on campaigns.class_id = details.class_id
        and details.rank = 1
    where campaigns.rank = 1
)

select * from final

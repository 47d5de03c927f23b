with

touchpoints as (
    select * from {{ ref('touchpoints') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

campaign_match_keys as (
    select * from {{ ref('int_campaign_match_keys') }}
),

campaigns as (
    {{ campaign_names(ref('int_campaigns')) }}
),

grouped as (
    select
        org_id,
        platform,
        source,
        campaign,
        campaign_id,
        campaign_match,
        campaign_match not in ('none', 'declared') as is_matched,
        count(*) as touches,
        min(occurred_at) as first_touch_at,
        max(occurred_at) as last_touch_at
    from touchpoints
    where platform <> '(organic)'
    group by org_id, platform, source, campaign, campaign_id, campaign_match
),

-- The most frequent names without a campaign. Their number is limited, because each is compared with every campaign's names.
unmatched as (
    select
        org_id,
        platform,
        campaign,
        row_number() over (partition by org_id order by sum(touches) desc, platform, campaign) as rank
    from grouped
    where not is_matched and campaign is not null
    group by org_id, platform, campaign
),

unmatched_names as (
    select
        *,
        {{ name_key('campaign') }} as name,
        {{ sorted_words(name_key('campaign')) }} as words
    from unmatched
    where rank <= {{ var('suggested_aliases') }}
),

campaign_names as (
    select
        *,
        match_key as name,
        {{ sorted_words('match_key') }} as words
    from campaign_match_keys
    where match_key_type = 'name'
),

compared as (
    select
        unmatched_names.org_id,
        unmatched_names.platform,
        unmatched_names.campaign,
        campaign_names.platform as suggested_platform,
        campaign_names.campaign_id as suggested_campaign_id,
        campaign_names.name as suggested_name,
        greatest(
            {{ similarity('unmatched_names.name', 'campaign_names.name') }},
            {{ similarity('unmatched_names.words', 'campaign_names.words') }}
        ) as similarity
    from unmatched_names
    inner join campaign_names
        on unmatched_names.org_id = campaign_names.org_id
        and unmatched_names.platform in (campaign_names.platform, '(unmatched)')
),

ranked as (
    select
        *,
        row_number() over (
            partition by org_id, platform, campaign
            order by similarity desc, suggested_platform, suggested_campaign_id, suggested_name
        ) as rank
    from compared
    where similarity >= {{ var('suggested_alias_similarity') }}
),

final as (
    select
        grouped.org_id,
        grouped.platform,
        grouped.source,
        grouped.campaign,
        grouped.campaign_id,
        grouped.campaign_match,
        grouped.is_matched,
        grouped.touches,
        {{ reporting_date('grouped.first_touch_at', 'orgs.timezone') }} as first_date,
        {{ reporting_date('grouped.last_touch_at', 'orgs.timezone') }} as last_date,
        ranked.suggested_platform,
        ranked.suggested_campaign_id,
        coalesce(campaigns.campaign, ranked.suggested_name) as suggested_campaign,
        ranked.similarity,
        case
            when ranked.suggested_campaign_id is not null
                then '- ' || {{ json_record([
                    ('org', 'grouped.org_id'),
                    ('platform', 'ranked.suggested_platform'),
                    ('name', 'grouped.campaign'),
                    ('campaign_id', 'ranked.suggested_campaign_id'),
                ]) }}
        end as suggested_alias,
        cast(sum(grouped.touches) over platform as bigint) as platform_touches,
        cast(
            sum(case when grouped.is_matched then grouped.touches else 0 end) over platform as double
        ) / sum(grouped.touches) over platform as platform_matched_share
    from grouped
    inner join orgs using (org_id)
    left join ranked
        on grouped.org_id = ranked.org_id
        and grouped.platform = ranked.platform
        and grouped.campaign = ranked.campaign
        and not grouped.is_matched
        and ranked.rank = 1
    left join campaigns
        on ranked.org_id = campaigns.org_id
        and ranked.suggested_platform = campaigns.platform
        and ranked.suggested_campaign_id = campaigns.campaign_id
    window platform as (partition by grouped.org_id, grouped.platform)
)

select * from final
order by org_id, platform, touches desc, source, campaign, campaign_id, campaign_match

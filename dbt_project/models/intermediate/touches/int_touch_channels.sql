{%- set no_medium = "('', '(none)', '(not set)', 'none')" -%}
with

sources as (
    select * from {{ ref('int_sources') }}
),

-- A source that names an ad product (Google Ads) is paid, even without a medium.
touch_groups as (
    select
        touch_groups.*,
        case
            when sources.is_ad_product and touch_groups.traffic_medium in {{ no_medium }} then 'cpc'
            else touch_groups.traffic_medium
        end as rule_medium
    from {{ ref('int_touch_groups') }} as touch_groups
    left join sources on touch_groups.traffic_source = sources.source
),

channel_words as (
    select
        {{ word_key('channel') }} as word,
        channel
    from {{ ref('channels') }}

    union all

    select
        {{ word_key('alias') }} as word,
        channel
    from {{ ref('channel_aliases') }}
),

rules as (
    select * from {{ ref('channel_rules') }}
),

channels as (
    select * from {{ ref('channels') }}
),

click_ids as (
    select * from {{ ref('click_ids') }}
),

traffic as (
    select distinct
        traffic_source,
        rule_medium,
        traffic_campaign
    from touch_groups
),

{# Each pattern meets each distinct value once, because an engine compiles a pattern from a table at each use. -#}
{%- for part, column in [('source', 'traffic_source'), ('medium', 'rule_medium'), ('campaign', 'traffic_campaign')] -%}
{{ part }}_matches as (
    select
        traffic.{{ column }},
        patterns.{{ part }}_pattern
    from (select distinct {{ column }} from traffic) as traffic
    cross join (select distinct {{ part }}_pattern from rules where {{ part }}_pattern is not null) as patterns
    where {{ regex_matches('traffic.' ~ column, 'patterns.' ~ part ~ '_pattern') }}
),

{% endfor -%}
matching_rules as (
    select
        traffic.traffic_source,
        traffic.rule_medium,
        traffic.traffic_campaign,
        rules.priority,
        rules.channel
    from traffic
    left join sources on traffic.traffic_source = sources.source
    inner join rules on rules.source_category is null or rules.source_category = sources.category
    left join source_matches
        on traffic.traffic_source = source_matches.traffic_source
        and rules.source_pattern = source_matches.source_pattern
    left join medium_matches
        on traffic.rule_medium = medium_matches.rule_medium
        and rules.medium_pattern = medium_matches.medium_pattern
    left join campaign_matches
        on traffic.traffic_campaign = campaign_matches.traffic_campaign
        and rules.campaign_pattern = campaign_matches.campaign_pattern
    where (rules.source_pattern is null or source_matches.source_pattern is not null)
        and (rules.medium_pattern is null or medium_matches.medium_pattern is not null)
        and (rules.campaign_pattern is null or campaign_matches.campaign_pattern is not null)
),

traffic_channels as (
    select
        traffic_source,
        rule_medium,
        traffic_campaign,
        min_by(channel, priority) as channel
    from matching_rules
    group by traffic_source, rule_medium, traffic_campaign
),

with_channel as (
    select
        touch_groups.*,
        coalesce(channel_words.channel, touch_groups.given_channel, traffic_channels.channel, 'Unassigned') as channel
    from touch_groups
    left join traffic_channels using (traffic_source, rule_medium, traffic_campaign)
    left join channel_words on {{ word_key('touch_groups.given_channel') }} = channel_words.word
),

-- The platform that the touch itself names, before its campaign is known. Organic links carry some click ids too (fbclid):
-- such an id decides only where nothing else names a platform.
final as (
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
        end as named_platform,
        click_ids.platform as click_platform,
        with_channel.given_platform is not null or channels.is_paid is distinct from false as is_linkable
    from with_channel
    left join channels on lower(trim(with_channel.channel)) = lower(channels.channel)
    left join click_ids using (click_id_type)
    left join sources as given_platforms on lower(trim(with_channel.given_platform)) = given_platforms.source
    left join sources as source_platforms on with_channel.traffic_source = source_platforms.source
    left join sources as channel_platforms on lower(trim(with_channel.channel)) = channel_platforms.source
)

select * from final

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
        end as own_platform,
        click_ids.platform as click_platform,
        with_channel.given_platform is not null or channels.is_paid is distinct from false as is_linkable,
    from with_channel
    left join channels on lower(trim(with_channel.channel)) = lower(channels.channel)
    left join click_ids using (click_id_type)
    left join sources as given_platforms on lower(trim(with_channel.given_platform)) = given_platforms.source
    left join sources as source_platforms on with_channel.traffic_source = source_platforms.source
    left join sources as channel_platforms on lower(trim(with_channel.channel)) = channel_platforms.source
)

select * from final

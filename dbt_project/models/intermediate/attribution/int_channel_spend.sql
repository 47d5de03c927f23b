with

spend as (
    select * from {{ ref('int_spend_with_commissions') }}
),

campaign_channels as (
    select * from {{ ref('int_campaign_channels') }}
),

platform_channels as (
    select * from {{ ref('platform_channels') }}
),

-- Platforms bill campaigns, not channels. A campaign's spend belongs to the paid channel of most of its touches, else to
-- the usual channel of its platform.
with_channel as (
    select
        spend.org_id,
        spend.date,
        coalesce(campaign_channels.channel, spend.channel, platform_channels.channel, '(unmatched)') as channel,
        spend.platform,
        spend.campaign_id,
        spend.impressions,
        spend.clicks,
        spend.spend_micros
    from spend
    left join campaign_channels using (org_id, platform, campaign_id)
    left join platform_channels using (platform)
),

final as (
    select
        org_id,
        date,
        channel,
        platform,
        campaign_id,
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(spend_micros) as bigint) as spend_micros
    from with_channel
    group by org_id, date, channel, platform, campaign_id
)

select * from final

with

touchpoints as (
    select * from {{ ref('int_touchpoints') }}
),

channels as (
    select * from {{ ref('channels') }}
),

counted as (
    select
        touchpoints.org_id,
        touchpoints.platform,
        touchpoints.campaign_id,
        touchpoints.channel,
        count(*) as touches
    from touchpoints
    left join channels using (channel)
    where touchpoints.campaign_id is not null
        and coalesce(channels.is_paid, true)
    group by touchpoints.org_id, touchpoints.platform, touchpoints.campaign_id, touchpoints.channel
),

ranked as (
    select
        *,
        row_number() over (partition by org_id, platform, campaign_id order by touches desc, channel) as rank
    from counted
),

final as (
    select
        org_id,
        platform,
        campaign_id,
        channel
    from ranked
    where rank = 1
)

select * from final

with

channel_spend as (
    select * from {{ ref('int_channel_spend') }}
),

final as (
    select
        org_id,
        date,
        channel,
        platform,
        campaign_id,
        impressions,
        clicks,
        spend_micros
    from channel_spend
)

select * from final
order by org_id, date, channel

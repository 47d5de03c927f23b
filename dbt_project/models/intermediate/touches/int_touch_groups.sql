with

touches as (
    select * from {{ ref('int_touches') }}
),

touch_types as (
    select * from {{ ref('touch_types') }}
),

touch_groups as (
    select distinct
        org_id,
        given_touch_type,
        given_channel,
        given_platform,
        source,
        medium,
        campaign,
        campaign_id,
        adset_id,
        ad_id,
        click_id_type,
        link_key
    from touches
),

final as (
    select
        {{ hash_key([
            'org_id', 'given_touch_type', 'given_channel', 'given_platform', 'source', 'medium', 'campaign', 'campaign_id',
            'adset_id', 'ad_id', 'click_id_type', 'link_key',
        ]) }} as touch_group_id,
        touch_groups.*,
        coalesce(touch_groups.given_touch_type = '(web)', false) as is_web,
        coalesce(touch_types.touch_type, 'visit') as touch_type,
        -- A visit about which nothing is known is direct traffic.
        case
            when coalesce(
                touch_groups.given_channel, touch_groups.given_platform, touch_groups.source, touch_groups.medium,
                touch_groups.campaign, touch_groups.campaign_id, touch_groups.adset_id, touch_groups.ad_id,
                touch_groups.link_key
            ) is null and (touch_groups.given_touch_type is null or touch_types.touch_type = 'visit') then '(direct)'
            else lower(trim(coalesce(touch_groups.source, '')))
        end as traffic_source,
        case
            when touch_groups.medium is null and touch_types.touch_type = 'email' then 'email'
            else lower(trim(coalesce(touch_groups.medium, '')))
        end as traffic_medium,
        lower(trim(coalesce(touch_groups.campaign, ''))) as traffic_campaign
    from touch_groups
    left join touch_types on lower(trim(touch_groups.given_touch_type)) = touch_types.alias
)

select * from final

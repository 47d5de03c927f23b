with

touches as (
    select * from {{ ref('int_touch_platforms') }}
),

matches as (
    select * from {{ ref('int_touch_matches') }}
),

final as (
    select
        {%- for column in touch_group_columns() %}
        touches.{{ column }}{{ ' as given_' ~ column if column in ['campaign_id', 'adset_id', 'ad_id'] }},
        {%- endfor %}
        coalesce(touches.given_channel, matches.channel, touches.channel) as channel,
        touches.is_direct,
        case
            when not touches.is_web then touches.touch_type
            when touches.is_paid or touches.click_id_type is not null then 'click'
            else 'visit'
        end as touch_type,
        coalesce(
            matches.platform,
            touches.own_platform,
            case when touches.is_paid = false then '(organic)' else '(unmatched)' end
        ) as platform,
        coalesce(matches.campaign_id, touches.campaign_id) as campaign_id,
        coalesce(
            matches.campaign_match,
            case when touches.campaign_id is not null then 'declared' else 'none' end
        ) as campaign_match,
        -- A web link's ad id is only a guess from utm_content until its campaign agrees.
        {%- for column in ['adset_id', 'ad_id'] %}
        case
            when touches.is_web or coalesce(touches.adset_id, touches.ad_id) is null then matches.{{ column }}
            else touches.{{ column }}
        end as {{ column }},
        {%- endfor %}
    from touches
    left join matches using (class_id)
)

select * from final

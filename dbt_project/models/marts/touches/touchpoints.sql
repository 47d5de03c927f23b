with

touches as (
    select * from {{ ref('int_touches') }}
),

classes as (
    select * from {{ ref('int_touch_groups') }}
),

visitor_customers as (
    select * from {{ ref('int_visitor_customers') }}
),

identified as (
    select
        touches.*,
        coalesce(touches.customer_id, visitor_customers.customer_id) as known_customer_id,
    from touches
    left join visitor_customers
        on {{ known_customer('touches') }}
),

final as (
    select
        identified.touchpoint_id,
        identified.org_id,
        identified.site_id,
        identified.visitor_id,
        identified.known_customer_id as customer_id,
        identified.session_id,
        identified.occurred_at,
        classes.touch_type,
        classes.channel,
        classes.platform,
        identified.source,
        identified.medium,
        identified.campaign,
        identified.content,
        identified.term,
        classes.campaign_id,
        classes.adset_id,
        classes.ad_id,
        identified.click_id_type,
        identified.click_id,
        identified.creator_code,
        identified.landing_url,
        identified.referrer_host,
        identified.device_type,
        classes.is_direct,
        classes.campaign_match,
        coalesce(
            'c:' || identified.known_customer_id,
            'v:' || identified.visitor_id,
            'touch:' || identified.touchpoint_id
        ) as person_key,
        cast(identified.sample_weight as decimal(9, 6)) as sample_weight,
        identified.country,
    from identified
    inner join classes
        on identified.org_id = classes.org_id
        {%- for column in touch_group_columns() if column != 'org_id' %}
        and identified.{{ column }} is not distinct from classes.{{ 'given_' if column in ['campaign_id', 'adset_id', 'ad_id'] }}{{ column }}
        {%- endfor %}
)

select * from final
order by org_id, occurred_at, touchpoint_id

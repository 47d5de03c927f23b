with

touches as (
    select * from {{ ref('int_touches') }}
),

touch_types as (
    select * from {{ ref('touch_types') }}
),

classes as (
    select distinct
        {{ touch_group_columns() | join(',\n        ') }},
    from touches
),

final as (
    select
        {{ hash_key(touch_group_columns()) }} as class_id,
        classes.*,
        coalesce(classes.given_touch_type = '(web)', false) as is_web,
        coalesce(touch_types.touch_type, 'visit') as touch_type,
        lower(trim(coalesce(classes.source, ''))) as traffic_source,
        case
            when classes.medium is null and touch_types.touch_type = 'email' then 'email'
            else lower(trim(coalesce(classes.medium, '')))
        end as traffic_medium,
        lower(trim(coalesce(classes.campaign, ''))) as traffic_campaign,
    from classes
    left join touch_types on lower(trim(classes.given_touch_type)) = touch_types.alias
)

select * from final

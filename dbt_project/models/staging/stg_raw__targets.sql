with

source as (
    select * from {{ source('raw', 'targets') }}
),

source_platforms as (
    select * from {{ ref('source_platforms') }}
),

final as (
    select
        source.org_id,
        coalesce(source_platforms.platform, source.platform) as platform,
        source.campaign_id,
        source.cpa_micros,
        source.roas,
    from source
    left join source_platforms on lower(trim(source.platform)) = source_platforms.alias
)

select * from final

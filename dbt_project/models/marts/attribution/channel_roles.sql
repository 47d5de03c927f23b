with

conversion_touches as (
    select * from {{ ref('conversion_touches') }}
),

conversions as (
    select * from {{ ref('conversions') }}
),

-- One row for each conversion and channel, however often the channel touched it.
by_conversion as (
    select
        org_id,
        conversion_type,
        conversion_id,
        channel,
        max(case when position = 1 then 1 else 0 end) as is_opening,
        max(case when position = touchpoint_count then 1 else 0 end) as is_closing,
        max(case when position < touchpoint_count then 1 else 0 end) as is_assisting,
        max(case when touchpoint_count = 1 then 1 else 0 end) as is_alone
    from conversion_touches
    group by org_id, conversion_type, conversion_id, channel
),

final as (
    select
        by_conversion.org_id,
        by_conversion.conversion_type,
        by_conversion.channel,
        count(*) as touched_conversions,
        cast(sum(by_conversion.is_opening) as bigint) as opening_conversions,
        cast(sum(by_conversion.is_assisting) as bigint) as assisted_conversions,
        cast(sum(by_conversion.is_closing) as bigint) as closing_conversions,
        cast(sum(by_conversion.is_alone) as bigint) as sole_conversions,
        cast(sum(case when conversions.is_first_conversion then 1 else 0 end) as bigint) as touched_first_conversions,
        cast(sum(conversions.value_micros) as bigint) as touched_value_micros,
        cast(sum(by_conversion.is_assisting * conversions.value_micros) as bigint) as assisted_value_micros,
        cast(sum(by_conversion.is_closing * conversions.value_micros) as bigint) as closing_value_micros,
        cast(sum(by_conversion.is_assisting) as double) / nullif(sum(by_conversion.is_closing), 0) as assisted_to_closing
    from by_conversion
    inner join conversions using (org_id, conversion_id)
    group by by_conversion.org_id, by_conversion.conversion_type, by_conversion.channel
)

select * from final
order by org_id, conversion_type, touched_conversions desc, channel

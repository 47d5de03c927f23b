with

source as (
    select * from {{ source('raw', 'loads') }}
),

final as (
    select
        load_id,
        kind,
        source,
        format,
        loaded_at,
        received_rows,
        loaded_rows,
        duplicate_rows,
        failed_rows,
        coalesce(limited_rows, 0) as limited_rows,
        coalesce(summary_rows, 0) as summary_rows,
        coalesce(summed_rows, 0) as summed_rows,
        replaced_rows
    from source
)

select * from final

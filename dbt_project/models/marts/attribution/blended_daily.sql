with

conversions as (
    select * from {{ ref('conversions') }}
),

spend as (
    select * from {{ ref('rollup_spend') }}
    where grain = 'ORGANIZATION'
),

conversion_windows as (
    select * from {{ ref('conversion_windows') }}
    where is_main_window
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

unioned as (
    select
        org_id,
        conversion_type,
        date,
        0 as spend_micros,
        1 as conversions,
        case when is_first_conversion then 1 else 0 end as first_conversions,
        value_micros,
        case when is_first_conversion then value_micros else 0 end as first_value_micros
    from conversions

    union all

    select
        spend.org_id,
        conversion_windows.conversion_type,
        spend.date,
        spend.spend_micros,
        0 as conversions,
        0 as first_conversions,
        0 as value_micros,
        0 as first_value_micros
    from spend
    inner join conversion_windows using (org_id)
),

summed as (
    select
        org_id,
        conversion_type,
        date,
        sum(spend_micros) as spend_micros,
        sum(conversions) as conversions,
        sum(first_conversions) as first_conversions,
        sum(value_micros) as value_micros,
        sum(first_value_micros) as first_value_micros
    from unioned
    group by org_id, conversion_type, date
),

final as (
    select
        summed.org_id,
        summed.conversion_type,
        summed.date,
        orgs.currency,
        {{ in_units('summed.spend_micros') }} as spend,
        cast(summed.conversions as bigint) as conversions,
        cast(summed.first_conversions as bigint) as first_conversions,
        cast(summed.conversions - summed.first_conversions as bigint) as returning_conversions,
        {{ in_units('summed.value_micros') }} as conversion_value,
        {{ in_units('summed.first_value_micros') }} as first_conversion_value,
        {{ in_units('(summed.value_micros - summed.first_value_micros)') }} as returning_conversion_value,
        cast(summed.value_micros as double) / nullif(summed.spend_micros, 0) as mer,
        summed.spend_micros / 1e6 / nullif(summed.conversions, 0) as blended_cpa,
        summed.spend_micros / 1e6 / nullif(summed.first_conversions, 0) as blended_cac
    from summed
    inner join orgs using (org_id)
)

select * from final
order by org_id, conversion_type, date

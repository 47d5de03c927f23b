with

conversions as (
    select * from {{ ref('int_conversions') }}
),

spend as (
    select * from {{ ref('int_ad_spend') }}
),

final as (
    select
        org_id,
        'conversions' as source,
        conversion_id as source_id,
        date,
        'no_exchange_rate' as reason,
        original_currency as currency,
        original_value_micros as amount_micros,
    from conversions
    where is_without_rate and conversion_id = counted_as_conversion_id

    union all

    select
        org_id,
        'conversions' as source,
        conversion_id,
        date,
        'duplicate_order',
        original_currency,
        original_value_micros,
    from conversions
    where conversion_id <> counted_as_conversion_id

    union all

    select
        org_id,
        'ad_spend',
        concat_ws('/', platform, account_id, campaign_id, adset_id, ad_id),
        date,
        'no_exchange_rate',
        original_currency,
        original_spend_micros,
    from spend
    where not has_rate
)

select * from final
order by org_id, source, date, source_id

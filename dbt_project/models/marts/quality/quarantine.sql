with

conversions as (
    select * from {{ ref('int_conversions') }}
),

counted_conversions as (
    select * from {{ ref('int_counted_conversions') }}
),

refunds as (
    select * from {{ ref('int_refunds') }}
),

spend as (
    select * from {{ ref('int_spend_with_commissions') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

cancelled_orders as (
    select * from {{ ref('int_cancelled_orders') }}
),

-- The first reason that applies.
conversions_with_reason as (
    select
        conversions.*,
        case
            when conversions.exclusion_reason is not null then conversions.exclusion_reason
            when conversions.conversion_id <> conversions.counted_as_conversion_id then 'duplicate_order'
            when cancelled_orders.order_key is not null then 'cancelled'
        end as reason
    from conversions
    left join cancelled_orders using (org_id, order_key)
    where not conversions.is_refund
),

final as (
    select
        org_id,
        'conversions' as source,
        conversion_id as source_id,
        date,
        reason,
        original_currency as currency,
        -- The order has the money of this report.
        case when reason <> 'duplicate_order' or not gives_value then original_value_micros end as amount_micros
    from conversions_with_reason
    where reason is not null

    union all

    -- A conversion without a rate still counts.
    select
        org_id,
        'conversions' as source,
        conversion_id as source_id,
        date,
        'no_exchange_rate' as reason,
        original_currency as currency,
        original_value_micros as amount_micros
    from counted_conversions
    where is_without_rate

    union all

    select
        org_id,
        'refunds' as source,
        refund_id as source_id,
        date,
        exclusion_reason as reason,
        original_currency as currency,
        original_value_micros as amount_micros
    from refunds
    where exclusion_reason is not null

    union all

    select
        refunds.org_id,
        'refunds' as source,
        refunds.refund_id as source_id,
        refunds.date,
        'refund_exceeds_value' as reason,
        orgs.currency,
        refunds.excess_micros as amount_micros
    from refunds
    inner join orgs using (org_id)
    where refunds.excess_micros > 0

    union all

    select
        org_id,
        'ad_spend' as source,
        concat_ws('/', platform, account_id, campaign_id, adset_id, ad_id) as source_id,
        date,
        'no_exchange_rate' as reason,
        original_currency as currency,
        cast(sum(original_spend_micros) as bigint) as amount_micros
    from spend
    where not has_rate
    group by org_id, platform, account_id, campaign_id, adset_id, ad_id, date, original_currency
)

select * from final
order by org_id, source, date, source_id

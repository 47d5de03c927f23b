{#- A view: only notices read it. -#}
{{ config(materialized='view') }}
with

conversions as (
    select * from {{ ref('int_conversions') }}
    where exclusion_reason is null
),

spend as (
    select * from {{ ref('int_spend_with_commissions') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

rates as (
    select * from {{ ref('int_exchange_rates') }}
),

amounts as (
    select
        org_id,
        date,
        original_currency as currency,
        original_value_micros as amount_micros
    from conversions
    where original_value_micros <> 0

    union all

    select
        org_id,
        date,
        original_currency as currency,
        original_spend_micros as amount_micros
    from spend
    where original_spend_micros <> 0
),

final as (
    select
        amounts.org_id,
        amounts.currency,
        orgs.currency as reporting_currency,
        rates.valid_from as rate_date,
        count(*) as row_count,
        sum(amounts.amount_micros) as amount_micros
    from amounts
    inner join orgs using (org_id)
    inner join rates
        on {{ rate_of_day('amounts.currency', 'orgs.currency', 'amounts.date') }}
    where {{ dbt.datediff('rates.valid_from', 'amounts.date', 'day') }} > {{ var('max_rate_age_days') }}
    group by amounts.org_id, amounts.currency, orgs.currency, rates.valid_from
)

select * from final

with

rates as (
    select
        date,
        base,
        quote,
        cast(cast(rate as decimal(38, 9)) * 1000000000 as bigint) as rate_nanos,
    from {{ ref('stg_raw__exchange_rates') }}
),

-- A rate serves as given, turned round, and across two currencies quoted against one base on the same day (as the
-- European Central Bank does). Kept as a fraction, so that turning a rate round loses nothing.
directions as (
    select date, base, quote, rate_nanos as numerator, 1000000000 as denominator, 1 as preference, base as via from rates

    union all

    select date, quote, base, 1000000000, rate_nanos, 2, base from rates

    union all

    select into_quote.date, into_base.quote, into_quote.quote, into_quote.rate_nanos, into_base.rate_nanos, 3, into_quote.base
    from rates as into_quote
    inner join rates as into_base
        on into_quote.date = into_base.date
        and into_quote.base = into_base.base
        and into_quote.quote <> into_base.quote
),

best as (
    select
        *,
        row_number() over (partition by base, quote, date order by preference, via) as rank,
    from directions
),

final as (
    select
        base,
        quote,
        date as valid_from,
        lead(date) over (partition by base, quote order by date) as valid_until,
        numerator,
        denominator,
    from best
    where rank = 1
)

select * from final

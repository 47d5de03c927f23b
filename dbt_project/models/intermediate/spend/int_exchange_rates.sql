with

rates as (
    select
        date,
        base,
        quote,
        cast(cast(rate as decimal(38, 9)) * 1000000000 as bigint) as rate_nanos
    from {{ ref('stg_raw__exchange_rates') }}
),

-- A rate serves as given, inverted, and across two currencies that are quoted against one base on the same day, as the
-- European Central Bank quotes them. A fraction inverts without loss.
directions as (
    select
        date,
        base,
        quote,
        rate_nanos as numerator,
        1000000000 as denominator,
        1 as preference,
        base as via
    from rates

    union all

    select
        date,
        quote as base,
        base as quote,
        1000000000 as numerator,
        rate_nanos as denominator,
        2 as preference,
        base as via
    from rates

    union all

    select
        into_quote.date,
        into_base.quote as base,
        into_quote.quote,
        into_quote.rate_nanos as numerator,
        into_base.rate_nanos as denominator,
        3 as preference,
        into_quote.base as via
    from rates as into_quote
    inner join rates as into_base
        on into_quote.date = into_base.date
        and into_quote.base = into_base.base
        and into_quote.quote <> into_base.quote
),

ranked as (
    select
        date,
        base,
        quote,
        numerator,
        denominator,
        row_number() over (partition by base, quote, date order by preference, via) as rank
    from directions
),

final as (
    select
        base,
        quote,
        date as valid_from,
        lead(date) over (partition by base, quote order by date) as valid_until,
        numerator,
        denominator
    from ranked
    where rank = 1
)

select * from final

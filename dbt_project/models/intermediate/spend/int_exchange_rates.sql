with

published as (
    select * from {{ ref('stg_raw__exchange_rates') }}
),

fixed as (
    select * from {{ ref('fixed_exchange_rates') }}
),

days as (
    select distinct
        base,
        date
    from published
),

-- A fixed rate is the rate of each later day, so that it converts across with the other rates of that day.
known as (
    select
        date,
        base,
        quote,
        rate
    from published

    union all

    select
        days.date,
        fixed.base,
        fixed.quote,
        fixed.rate
    from fixed
    inner join days
        on fixed.base = days.base
        and days.date >= fixed.fixed_from
    left join published
        on days.date = published.date
        and fixed.base = published.base
        and fixed.quote = published.quote
    where published.date is null
),

rates as (
    select
        date,
        base,
        quote,
        cast(cast(rate as decimal(38, 9)) * 1000000000 as bigint) as rate_nanos
    from known
),

last_days as (
    select
        base as via,
        max(date) as last_date
    from days
    group by base
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
        via,
        row_number() over (partition by base, quote, date order by preference, via) as rank
    from directions
),

neighbours as (
    select
        ranked.base,
        ranked.quote,
        ranked.date,
        ranked.numerator,
        ranked.denominator,
        last_days.last_date,
        lag(ranked.date) over (partition by ranked.base, ranked.quote order by ranked.date) as previous_date,
        lead(ranked.date) over (partition by ranked.base, ranked.quote order by ranked.date) as next_date
    from ranked
    inner join last_days using (via)
    where ranked.rank = 1
),

-- A rate lapses if its series is published daily and then pauses or ends, while its source publishes other rates. The
-- notice old_exchange_rate names rates that are old because nothing newer was pulled.
final as (
    select
        base,
        quote,
        date as valid_from,
        case
            when {{ dbt.datediff('previous_date', 'date', 'day') }} <= {{ var('rate_lapse_days') }}
                and {{ dbt.datediff('date', 'coalesce(next_date, last_date)', 'day') }} > {{ var('rate_lapse_days') }}
                then cast({{ dbt.dateadd('day', var('rate_lapse_days') + 1, 'date') }} as date)
            else next_date
        end as valid_until,
        numerator,
        denominator
    from neighbours
)

select * from final

-- European Central Bank: the reference rates, a row for each day and a column for each currency.
-- source: https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/
-- export: Downloads, CSV (.zip): eurofxref-hist.csv, or eurofxref.csv of the latest day. `tributary pull ecb` needs no file.
-- kind: exchange-rates
-- required: date = Date
-- required: USD, JPY, GBP
-- optional: AUD, BGN, BRL, CAD, CHF, CNY, CYP, CZK, DKK, EEK, HKD, HRK, HUF, IDR, ILS, INR, ISK, KRW, LTL, LVL, MTL, MXN, MYR
-- optional: NOK, NZD, PHP, PLN, ROL, RON, RUB, SEK, SGD, SIT, SKK, THB, TRL, TRY, ZAR
-- optional: euro = EUR
-- decimal: point
--
-- A cell is the number of units of the currency for one euro. N/A: the Bank had no rate of the currency on that day.
with cells as (
    unpivot source on columns(* exclude (_row, date, euro)) into name quote value rate
)

select
    _row,
    -- Files of other banks look alike.
    if(euro is null, null, 'the file has a column EUR, so that its rates are not for one euro') as _reject,
    date,
    'EUR' as base,
    quote,
    rate
from cells
where rate <> 'N/A'

-- European Central Bank: exchange rates of the ECB Data Portal, a row for each day and currency.
-- source: https://data.ecb.europa.eu/help/api/data
-- source: https://data.ecb.europa.eu/data/datasets/EXR/structure
-- export: Data Portal, dataset EXR, frequency daily, Download, CSV. `tributary pull ecb` needs no file.
-- kind: exchange-rates
-- required: CURRENCY, CURRENCY_DENOM, TIME_PERIOD, OBS_VALUE
-- optional: FREQ, EXR_TYPE
-- decimal: point
--
-- OBS_VALUE is the number of units of CURRENCY for one CURRENCY_DENOM. SP00 is a spot rate; the other types are no rates,
-- but indices or trends. A holiday has a row without a value.
select
    _row,
    if(coalesce(freq, 'D') = 'D', null, 'the rate is the average of a month or year: export the frequency daily') as _reject,
    time_period as date,
    currency_denom as base,
    currency as quote,
    obs_value as rate
from source
where coalesce(exr_type, 'SP00') = 'SP00' and obs_value <> 'NaN'

{# Join condition: the exchange rate that serves on a day. Equal currencies have none. #}
{% macro rate_of_day(currency, reporting_currency, date) -%}
    {{ currency }} = rates.base
    and {{ reporting_currency }} = rates.quote
    and {{ currency }} <> {{ reporting_currency }}
    and {{ date }} >= rates.valid_from
    and ({{ date }} < rates.valid_until or rates.valid_until is null)
{%- endmacro %}

{# The columns of the rate that `rate_of_day` joins. Equal currencies have the rate 1. #}
{% macro rate_columns(currency, reporting_currency) -%}
    {%- for part in ['numerator', 'denominator'] %}
        case when {{ currency }} = {{ reporting_currency }} then 1 else rates.{{ part }} end as {{ part }}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Join condition: the exchange rate that serves on a day. Equal currencies have none. #}
{% macro rate_of_day(currency, reporting_currency, date) -%}
    {{ currency }} = rates.base
    and {{ reporting_currency }} = rates.quote
    and {{ currency }} <> {{ reporting_currency }}
    and {{ date }} >= rates.valid_from
    and ({{ date }} < rates.valid_until or rates.valid_until is null)
{%- endmacro %}

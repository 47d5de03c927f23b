{# The calendar day of a UTC timestamp in an IANA time zone. #}
{% macro reporting_date(utc_timestamp, timezone) -%}
    {{ return(adapter.dispatch("reporting_date", "tributary")(utc_timestamp, timezone)) }}
{%- endmacro %}

{% macro default__reporting_date(utc_timestamp, timezone) -%}
    cast(timezone({{ timezone }}, timezone('UTC', {{ utc_timestamp }})) as date)
{%- endmacro %}

{% macro spark__reporting_date(utc_timestamp, timezone) -%}
    cast(from_utc_timestamp({{ utc_timestamp }}, {{ timezone }}) as date)
{%- endmacro %}

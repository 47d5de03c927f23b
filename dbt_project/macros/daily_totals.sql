{# Sum the CTEs `spend` and `credit` by the key: the query of a daily mart's totals. #}
{% macro daily_totals(key) -%}
    select
        {{ key | join(',\n        ') }},
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(spend_micros) as bigint) as spend_micros,
        {{ as_conversions('sum(credit)') }} as conversions,
        {{ as_conversions('sum(first_credit)') }} as first_conversions,
        cast(sum(value_micros) as bigint) as conversion_value_micros
    from (
        select
            {{ key | join(',\n            ') }},
            impressions,
            clicks,
            spend_micros,
            0 as credit,
            0 as first_credit,
            0 as value_micros
        from spend

        union all

        select
            {{ key | join(',\n            ') }},
            0 as impressions,
            0 as clicks,
            0 as spend_micros,
            credit,
            first_credit,
            value_micros
        from credit
    ) as unioned
    group by {{ key | join(', ') }}
{%- endmacro %}

{# The columns of a daily mart after its key: the CTE `totals` in units of the currency, and ratios where they are known. #}
{% macro daily_figures() -%}
        orgs.currency,
        {{ in_units('totals.spend_micros') }} as spend,
        totals.impressions,
        totals.clicks,
        totals.conversions,
        {{ in_units('totals.conversion_value_micros') }} as conversion_value,
        totals.first_conversions,
        totals.conversion_value_micros / cast(nullif(totals.spend_micros, 0) as double) as roas,
        nullif(totals.spend_micros, 0) / 1e6 / nullif(totals.conversions, 0) as cpa,
        nullif(totals.spend_micros, 0) / 1e6 / nullif(totals.first_conversions, 0) as cac,
        totals.clicks / cast(nullif(totals.impressions, 0) as double) as ctr,
        nullif(totals.spend_micros, 0) / 1e6 / nullif(totals.clicks, 0) as cpc,
        conversion_windows.conversion_type,
        orgs.default_attribution_model as attribution_model,
        conversion_windows.lookback_days
{%- endmacro %}

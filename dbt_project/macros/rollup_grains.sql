{# The grain of a row that rollup_grouping_sets makes. #}
{% macro rollup_grain() -%}
    case
            when grouping(platform) = 1 then 'ORGANIZATION'
            when grouping(campaign_id) = 1 then 'PLATFORM'
            when grouping(adset_id) = 1 then 'CAMPAIGN'
            when grouping(ad_id) = 1 then 'ADSET'
            else 'AD'
        end
{%- endmacro %}

{# The platform of such a row. Conversions without a touch keep a row of their own in every grain, ORGANIZATION included. #}
{% macro rollup_platform() -%}
    case when grouping(platform) = 1 and is_unattributed then '(unattributed)' else platform end
{%- endmacro %}

{# Grouping sets of the five grains, for each combination of the given columns. Ids below a row's grain are null. #}
{% macro rollup_grouping_sets(columns) -%}
    {%- set slice = (columns + ['is_unattributed']) | join(', ') -%}
    grouping sets (
        ({{ slice }}),
        ({{ slice }}, platform),
        ({{ slice }}, platform, campaign_id),
        ({{ slice }}, platform, campaign_id, adset_id),
        ({{ slice }}, platform, campaign_id, adset_id, ad_id)
    )
{%- endmacro %}

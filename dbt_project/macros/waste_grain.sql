{# The grain of a row of grouping sets over the org, campaigns, ad sets and ads. #}
{% macro waste_grain() -%}
    case
        when grouping(campaign_id) = 1 then 'ORGANIZATION'
        when grouping(adset_id) = 1 then 'CAMPAIGN'
        when grouping(ad_id) = 1 then 'ADSET'
        else 'AD'
    end
{%- endmacro %}

{%- set models = var('attribution_models') -%}
with

attribution as (
    select * from {{ ref('conversion_touches') }}
),

conversions as (
    select * from {{ ref('conversions') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

scenarios as (
    select * from {{ ref('int_model_modes') }}
),

-- One pass over the links, all models side by side.
links_by_day as (
    select
        org_id,
        conversion_date,
        touch_date,
        channel,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        {%- for model in models %}
        sum({{ model }}_credit) as {{ model }}_credit,
        sum({{ model }}_value_micros) as {{ model }}_value_micros,
        {%- endfor %}
    from attribution
    group by org_id, conversion_date, touch_date, channel, platform, campaign_id, adset_id, ad_id
),

-- A conversion without a touch keeps its own day in both modes and its whole value under every model.
unattributed_by_day as (
    select
        conversions.org_id,
        conversions.date,
        count(*) * 1000000000000 as credit,
        sum(conversions.value_micros) as value_micros,
    from conversions
    left join attribution
        on conversions.org_id = attribution.org_id
        and conversions.conversion_id = attribution.conversion_id
        and attribution.position = 1
    where attribution.conversion_id is null
    group by conversions.org_id, conversions.date
),

unpivoted as (
    {%- for model in models %}
    select
        org_id,
        conversion_date,
        touch_date,
        '{{ model }}' as attribution_model,
        channel,
        platform,
        coalesce(campaign_id, '(unmatched)') as campaign_id,
        coalesce(adset_id, '(unmatched)') as adset_id,
        coalesce(ad_id, '(unmatched)') as ad_id,
        {{ model }}_credit as credit,
        {{ model }}_value_micros as value_micros,
    from links_by_day
    where {{ model }}_credit > 0 or {{ model }}_value_micros <> 0

    union all

    select
        org_id,
        date,
        date,
        '{{ model }}',
        '(unattributed)',
        '(unattributed)',
        '(unattributed)',
        '(unattributed)',
        '(unattributed)',
        credit,
        value_micros,
    from unattributed_by_day
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

dated as (
    select
        unpivoted.org_id,
        case
            when scenarios.accounting_mode = 'cash' then unpivoted.conversion_date
            else unpivoted.touch_date
        end as date,
        scenarios.accounting_mode,
        unpivoted.attribution_model,
        orgs.lookback_days,
        unpivoted.channel,
        unpivoted.platform,
        unpivoted.campaign_id,
        unpivoted.adset_id,
        unpivoted.ad_id,
        unpivoted.credit,
        unpivoted.value_micros,
    from unpivoted
    inner join orgs using (org_id)
    inner join scenarios using (attribution_model)
),

final as (
    select
        org_id,
        date,
        accounting_mode,
        attribution_model,
        lookback_days,
        channel,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        cast(sum(credit) as bigint) as credit,
        cast(sum(value_micros) as bigint) as value_micros,
    from dated
    group by
        org_id,
        date,
        accounting_mode,
        attribution_model,
        lookback_days,
        channel,
        platform,
        campaign_id,
        adset_id,
        ad_id
)

select * from final

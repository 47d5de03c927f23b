{%- set models = var('attribution_models') -%}
with

attribution as (
    {%- for touches in ['int_conversion_touches', 'int_rollup_window_touches'] %}
    select
        org_id,
        conversion_id,
        conversion_type,
        lookback_days,
        position,
        conversion_date,
        is_first_conversion,
        touch_date,
        channel,
        platform,
        campaign_id,
        adset_id,
        ad_id
        {%- for model in models %},
        {{ model }}_credit,
        {{ model }}_value_micros
        {%- endfor %}
    from {{ ref(touches) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

conversion_windows as (
    select * from {{ ref('int_conversion_windows') }}
    where is_in_rollups
),

conversions as (
    select * from {{ ref('int_defined_conversions') }}
),

model_modes as (
    select * from {{ ref('int_model_modes') }}
),

-- One pass over the touches sums all models side by side.
credit_by_day as (
    select
        org_id,
        conversion_type,
        lookback_days,
        conversion_date,
        touch_date,
        channel,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        {%- for model in models %}
        sum({{ model }}_credit) as {{ model }}_credit,
        sum(case when is_first_conversion then {{ model }}_credit else 0 end) as {{ model }}_first_credit,
        sum({{ model }}_value_micros) as {{ model }}_value_micros{{ "," if not loop.last }}
        {%- endfor %}
    from attribution
    group by
        org_id, conversion_type, lookback_days, conversion_date, touch_date, channel, platform, campaign_id, adset_id, ad_id
),

-- A conversion without a touch counts on its own day in both modes, with its whole value under every model.
unattributed_by_day as (
    select
        conversions.org_id,
        conversions.conversion_type,
        conversion_windows.lookback_days,
        conversions.date,
        count(*) * 1000000000000 as credit,
        count(case when conversions.is_first_conversion then 1 end) * 1000000000000 as first_credit,
        sum(conversions.value_micros) as value_micros
    from conversions
    inner join conversion_windows using (org_id, conversion_type)
    left join attribution
        on conversions.org_id = attribution.org_id
        and conversions.conversion_id = attribution.conversion_id
        and conversion_windows.lookback_days = attribution.lookback_days
        and attribution.position = 1
    where attribution.conversion_id is null
    group by conversions.org_id, conversions.conversion_type, conversion_windows.lookback_days, conversions.date
),

credit_by_model as (
    {%- for model in models %}
    select
        org_id,
        conversion_type,
        lookback_days,
        conversion_date,
        touch_date,
        '{{ model }}' as attribution_model,
        channel,
        platform,
        coalesce(campaign_id, '(unmatched)') as campaign_id,
        coalesce(adset_id, '(unmatched)') as adset_id,
        coalesce(ad_id, '(unmatched)') as ad_id,
        {{ model }}_credit as credit,
        {{ model }}_first_credit as first_credit,
        {{ model }}_value_micros as value_micros
    from credit_by_day
    where {{ model }}_credit > 0 or {{ model }}_value_micros <> 0

    union all

    select
        org_id,
        conversion_type,
        lookback_days,
        date as conversion_date,
        date as touch_date,
        '{{ model }}' as attribution_model,
        '(unattributed)' as channel,
        '(unattributed)' as platform,
        '(unattributed)' as campaign_id,
        '(unattributed)' as adset_id,
        '(unattributed)' as ad_id,
        credit,
        first_credit,
        value_micros
    from unattributed_by_day
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

credit_by_mode as (
    select
        credit_by_model.org_id,
        credit_by_model.conversion_type,
        case
            when model_modes.accounting_mode = 'cash' then credit_by_model.conversion_date
            else credit_by_model.touch_date
        end as date,
        model_modes.accounting_mode,
        credit_by_model.attribution_model,
        credit_by_model.lookback_days,
        conversion_windows.is_main_window,
        credit_by_model.channel,
        credit_by_model.platform,
        credit_by_model.campaign_id,
        credit_by_model.adset_id,
        credit_by_model.ad_id,
        credit_by_model.credit,
        credit_by_model.first_credit,
        credit_by_model.value_micros
    from credit_by_model
    inner join model_modes using (attribution_model)
    inner join conversion_windows using (org_id, conversion_type, lookback_days)
),

final as (
    select
        org_id,
        date,
        conversion_type,
        accounting_mode,
        attribution_model,
        lookback_days,
        is_main_window,
        channel,
        platform,
        campaign_id,
        adset_id,
        ad_id,
        cast(sum(credit) as bigint) as credit,
        cast(sum(first_credit) as bigint) as first_credit,
        cast(sum(value_micros) as bigint) as value_micros
    from credit_by_mode
    group by
        org_id,
        date,
        conversion_type,
        accounting_mode,
        attribution_model,
        lookback_days,
        is_main_window,
        channel,
        platform,
        campaign_id,
        adset_id,
        ad_id
)

select * from final

{%- set models = var('attribution_models') -%}
{%- set windows = var('attribution_windows') -%}
{%- set entity = ['org_id', 'conversion_type', 'channel', 'platform', 'campaign_id'] -%}
with

journey_touches as (
    select * from {{ ref('int_journey_touches') }}
    where first_window < until_window
),

conversions as (
    select * from {{ ref('int_defined_conversions') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

channel_weights as (
    select * from {{ ref('int_channel_weights') }}
),

windows as (
    {{ numbered_windows('lookback_days') }}
),

-- Windows with the same touches are one variant of the journey, so that its credit is computed once. A variant starts where a
-- touch enters or leaves.
changes as (
    select distinct
        journey_number,
        number
    from (
        select journey_number, first_window as number from journey_touches
        union all
        select journey_number, until_window as number from journey_touches
    ) as all_changes
    where number <= {{ windows | length }}
),

variants as (
    select
        journey_number,
        number as from_number,
        lead(number, 1, {{ windows | length + 1 }}) over (partition by journey_number order by number) as until_number
    from changes
),

candidates as (
    select
        journey_touches.*,
        variants.from_number,
        variants.until_number
    from journey_touches
    inner join variants
        on journey_touches.journey_number = variants.journey_number
        and variants.from_number >= journey_touches.first_window
        and variants.from_number < journey_touches.until_window
),

{{ credit_of_touches(['journey_number', 'from_number', 'until_number'], 'touch_number') }},

by_variant as (
    select
        journey_touches.{{ entity | join(',\n        journey_touches.') }},
        journey_touches.conversion_date,
        credited.from_number,
        credited.until_number,
        sum(case when credited.position = 1 then 1 else 0 end) as journeys,
        sum(case when credited.position = 1 then credited.value_micros else 0 end) as journey_value_micros
        {%- for model in models %},
        sum(credited.{{ model }}_credit) as {{ model }}_credit,
        sum(credited.{{ model }}_value_micros) as {{ model }}_value_micros
        {%- endfor %}
    from credited
    inner join journey_touches using (touch_number)
    group by
        journey_touches.{{ entity | join(', journey_touches.') }},
        journey_touches.conversion_date,
        credited.from_number,
        credited.until_number
),

by_window as (
    select
        {%- for column in entity %}
        by_variant.{{ column }},
        {%- endfor %}
        by_variant.conversion_date as date,
        windows.lookback_days,
        sum(by_variant.journeys) as journeys,
        sum(by_variant.journey_value_micros) as journey_value_micros
        {%- for model in models %},
        sum(by_variant.{{ model }}_credit) as {{ model }}_credit,
        sum(by_variant.{{ model }}_value_micros) as {{ model }}_value_micros
        {%- endfor %}
    from by_variant
    inner join windows
        on windows.number >= by_variant.from_number
        and windows.number < by_variant.until_number
    group by
        {%- for column in entity %}
        by_variant.{{ column }},
        {%- endfor %}
        by_variant.conversion_date,
        windows.lookback_days
),

attributed as (
    select
        org_id,
        conversion_type,
        date,
        lookback_days,
        sum(journeys) as conversions,
        sum(journey_value_micros) as value_micros
    from by_window
    group by org_id, conversion_type, date, lookback_days
),

all_conversions as (
    select
        org_id,
        conversion_type,
        date,
        count(*) as conversions,
        sum(value_micros) as value_micros
    from conversions
    group by org_id, conversion_type, date
),

unattributed as (
    select
        all_conversions.org_id,
        all_conversions.conversion_type,
        all_conversions.date,
        windows.lookback_days,
        all_conversions.conversions - coalesce(attributed.conversions, 0) as conversions,
        all_conversions.value_micros - coalesce(attributed.value_micros, 0) as value_micros
    from all_conversions
    cross join windows
    left join attributed
        on all_conversions.org_id = attributed.org_id
        and all_conversions.conversion_type = attributed.conversion_type
        and all_conversions.date = attributed.date
        and windows.lookback_days = attributed.lookback_days
),

final as (
    {%- for model in models %}
    select
        org_id,
        date,
        conversion_type,
        '{{ model }}' as attribution_model,
        lookback_days,
        channel,
        platform,
        coalesce(campaign_id, '(unmatched)') as campaign_id,
        cast({{ model }}_credit as bigint) as credit,
        cast({{ model }}_value_micros as bigint) as value_micros
    from by_window
    where {{ model }}_credit > 0 or {{ model }}_value_micros <> 0

    union all

    select
        org_id,
        date,
        conversion_type,
        '{{ model }}' as attribution_model,
        lookback_days,
        '(unattributed)' as channel,
        '(unattributed)' as platform,
        '(unattributed)' as campaign_id,
        cast(conversions * 1000000000000 as bigint) as credit,
        cast(value_micros as bigint) as value_micros
    from unattributed
    where conversions > 0
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
)

select * from final

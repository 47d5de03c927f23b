{# CTEs from `candidates`, the touches of journeys, to `credited`: the credit and value of each touch under each attribution model.
   `journey`: the columns that identify a journey; `touch`: the column that identifies a touch in it. Only these and the weights
   pass the second sort: a caller that needs more columns of a touch joins them. #}
{% macro credit_of_touches(journey, touch) %}
{%- set models = var('attribution_models') -%}
{%- set partition = 'partition by candidates.' ~ journey | join(', candidates.') -%}
positioned as (
    select
        candidates.*,
        orgs.half_life_days,
        orgs.first_touch_percent,
        orgs.last_touch_percent,
        row_number() over journey as position,
        count(*) over conversion as touchpoint_count,
        sum(case when is_direct then 0 else 1 end) over journey as non_direct_position,
        sum(case when is_direct then 0 else 1 end) over conversion as non_direct_count,
        sum(case when occurred_at <= lead_at then 1 else 0 end) over conversion as lead_position,
        {{ days_between('occurred_at', 'max(occurred_at) over conversion') }} as days_before_last,
        count(*) over ({{ partition }}, touch_date) as day_touch_count
    from candidates
    inner join orgs on candidates.org_id = orgs.org_id
    window
        conversion as ({{ partition }}),
        journey as ({{ partition }} order by occurred_at, touchpoint_id rows between unbounded preceding and current row)
),

-- Apart from the weights, so that an expression may name the columns of a touch without a table.
with_channel_weights as (
    select
        positioned.*
        {%- for model in models if model in var('channel_weight_models') + ['lift_adjusted'] %},
        {{ model }}_weights.weight as {{ model }}_channel_weight
        {%- endfor %}
    from positioned
    {{ channel_weight_joins() }}
),

-- A model gives each touch one whole-number weight (macros/attribution). Whole numbers have the same sum in any order.
weighted as (
    select
        {{ (journey + [touch, 'value_micros', 'position', 'touchpoint_count']) | join(',\n        ') }}
        {%- for model in models %},
        ({{ attribution_weight(model) }}) * credit_percent as {{ model }}_weight
        {%- endfor %}
    from with_channel_weights
),

running as (
    select
        *
        {%- for model in models %},
        sum({{ model }}_weight) over journey as {{ model }}_running,
        sum({{ model }}_weight) over conversion as {{ model }}_total
        {%- endfor %}
    from weighted
    window
        conversion as (partition by {{ journey | join(', ') }}),
        journey as (
            partition by {{ journey | join(', ') }} order by position rows between unbounded preceding and current row
        )
),

-- A journey without any weight is split evenly.
filled as (
    select
        {{ (journey + [touch, 'value_micros', 'position', 'touchpoint_count']) | join(',\n        ') }}
        {%- for model in models %},
        case when {{ model }}_total = 0 then 1 else {{ model }}_weight end as {{ model }}_weight,
        case when {{ model }}_total = 0 then position else {{ model }}_running end as {{ model }}_running,
        case when {{ model }}_total = 0 then touchpoint_count else {{ model }}_total end as {{ model }}_total
        {%- endfor %}
    from running
),

shared as (
    select
        *
        {%- for model in models %},
        cast({{ model }}_running as double) / {{ model }}_total as {{ model }}_share,
        cast({{ model }}_running - {{ model }}_weight as double) / {{ model }}_total as {{ model }}_share_before
        {%- endfor %}
    from filled
),

credited as (
    select
        *
        {%- for model in models %},
        {{ part_of_whole('1000000000000', model) }} as {{ model }}_credit,
        {{ part_of_whole('value_micros', model) }} as {{ model }}_value_micros
        {%- endfor %}
    from shared
)
{%- endmacro %}

{# The weight of a touch under a model: the macro of macros/attribution, the user's expression, or the weight of its channel. #}
{% macro attribution_weight(model) -%}
    {%- if model in var('expression_models') -%}
        cast(round(({{ var('expression_models')[model] }}) * 1e6) as bigint)
    {%- elif model in var('channel_weight_models') -%}
        coalesce({{ model }}_channel_weight, 0)
    {%- else -%}
        {{ context[model ~ '_weight']() | trim }}
    {%- endif -%}
{%- endmacro %}

{# Joins of the weights of each channel that the models need, by name: <model>_weights. #}
{% macro channel_weight_joins() -%}
    {%- for model in var('channel_weight_models') + ['lift_adjusted'] if model in var('attribution_models') %}
    left join channel_weights as {{ model }}_weights
        on {{ model }}_weights.attribution_model = '{{ model }}'
        and positioned.org_id = {{ model }}_weights.org_id
        and positioned.conversion_type = {{ model }}_weights.conversion_type
        and positioned.channel = {{ model }}_weights.channel
        and (positioned.touch_date >= {{ model }}_weights.valid_from or {{ model }}_weights.valid_from is null)
        and (positioned.touch_date <= {{ model }}_weights.valid_until or {{ model }}_weights.valid_until is null)
    {%- endfor %}
{%- endmacro %}

{#- Ephemeral: a part of the mart `promises`, which publishing reads. -#}
{{ config(materialized='ephemeral') }}
{%- set text = dbt.type_string() %}

with

top_level_spend as (
    select * from {{ ref('int_top_level_spend') }}
),

transactions as (
    select * from {{ ref('int_affiliate_transactions') }}
    where status = 'approved'
),

fees as (
    select * from {{ ref('stg_raw__fees') }}
    where basis = 'period'
),

last_activity as (
    select * from {{ ref('int_org_last_activity') }}
),

commissions as (
    select * from {{ ref('int_commissions') }}
),

spend_reports as (
    select * from {{ ref('int_spend_reports') }}
),

spend as (
    select * from {{ ref('int_spend_with_commissions') }}
),

events as (
    select * from {{ ref('stg_raw__events') }}
),

interactions as (
    select * from {{ ref('stg_raw__interactions') }}
),

reported_conversions as (
    select * from {{ ref('stg_raw__conversions') }}
),

excluded_events as (
    select * from {{ ref('int_excluded_events') }}
),

sessions as (
    select * from {{ ref('sessions') }}
),

reported_refunds as (
    select * from {{ ref('stg_raw__refunds') }}
),

refunds as (
    select * from {{ ref('int_refunds') }}
),

all_conversions as (
    select * from {{ ref('int_conversions') }}
),

conversions as (
    select * from {{ ref('int_counted_conversions') }}
),

quarantine as (
    select * from {{ ref('quarantine') }}
),

touches_and_merged_reports as (
    select
        org_id,
        touchpoint_id
    from {{ ref('touchpoints') }}

    union all

    select
        org_id,
        touchpoint_id
    from {{ ref('merged_touches') }}
),

-- The part of each fee for its days up to the org's last activity.
fees_so_far as (
    select
        fees.org_id,
        {{ rounded_share(
            'fees.amount_micros',
            'greatest(' ~ dbt.datediff('fees.starts_on', 'least(fees.ends_on, coalesce(last_activity.last_date, fees.ends_on))', 'day') ~ ' + 1, 0)',
            '(' ~ dbt.datediff('fees.starts_on', 'fees.ends_on', 'day') ~ ' + 1)',
        ) }} as amount_micros
    from fees
    left join last_activity using (org_id)
),

{#- (check, [(relation, received, condition)], [(relation, kept, condition)]): both sides are summed by org. -#}
{%- set checks = [
    (
        'conversions_are_kept',
        [('events', '1', "type = 'CONVERSION'"), ('reported_conversions', '1', 'true')],
        [
            ('conversions', '1', 'true'),
            ('refunds', '1', 'is_negative_conversion'),
            ('quarantine', '1', "source = 'conversions' and reason <> 'no_exchange_rate'"),
        ],
    ),
    (
        'events_are_in_sessions',
        [('events', '1', 'true')],
        [('sessions', 'events', 'true'), ('excluded_events', '1', 'true')],
    ),
    (
        'refunds_are_applied',
        [
            ('reported_refunds', '1', 'true'),
            ('events', '1', "type = 'REFUND'"),
            ('all_conversions', '1', 'is_refund'),
        ],
        [
            ('refunds', '1', 'exclusion_reason is null and (conversion_id is not null or original_value_micros = 0)'),
            ('quarantine', '1', "source = 'refunds' and reason <> 'refund_exceeds_value'"),
        ],
    ),
    (
        'reported_spend_is_in_reports',
        [
            ('top_level_spend', 'spend_micros', 'true'),
            ('transactions', 'coalesce(original_payout_micros, 0)', 'true'),
            ('fees_so_far', 'amount_micros', 'true'),
        ],
        [('spend_reports', 'spend_micros', 'true')],
    ),
    (
        'spend_is_converted',
        [('spend_reports', 'spend_micros', 'true'), ('commissions', 'amount_micros', 'true')],
        [('spend', 'original_spend_micros', 'true')],
    ),
] %}

amounts as (
    {%- for check_name, received, kept in checks %}
    {%- set is_last_check = loop.last %}
    {%- for relation, amount, condition in received %}
    select
        '{{ check_name }}' as check_name,
        org_id,
        sum({{ amount }}) as received,
        0 as kept
    from {{ relation }}
    where {{ condition }}
    group by org_id

    union all
    {% endfor %}
    {%- for relation, amount, condition in kept %}
    select
        '{{ check_name }}' as check_name,
        org_id,
        0 as received,
        sum({{ amount }}) as kept
    from {{ relation }}
    where {{ condition }}
    group by org_id
    {% if not (is_last_check and loop.last) %}
    union all
    {% endif %}
    {%- endfor %}
    {%- endfor %}
),

final as (
    select
        check_name,
        org_id,
        cast(null as {{ text }}) as conversion_type,
        cast(null as {{ text }}) as attribution_model,
        cast(null as integer) as lookback_days,
        cast(null as {{ text }}) as accounting_mode,
        cast(null as {{ text }}) as grain,
        sum(received) as expected,
        sum(kept) as actual
    from amounts
    group by check_name, org_id

    union all

    select
        'interactions_are_touchpoints' as check_name,
        interactions.org_id,
        cast(null as {{ text }}) as conversion_type,
        cast(null as {{ text }}) as attribution_model,
        cast(null as integer) as lookback_days,
        cast(null as {{ text }}) as accounting_mode,
        cast(null as {{ text }}) as grain,
        count(*) as expected,
        count(distinct touches_and_merged_reports.touchpoint_id) as actual
    from interactions
    left join touches_and_merged_reports
        on interactions.org_id = touches_and_merged_reports.org_id
        and interactions.interaction_id = touches_and_merged_reports.touchpoint_id
    group by interactions.org_id
)

select * from final

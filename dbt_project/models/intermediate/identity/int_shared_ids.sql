with

events as (
    select * from {{ ref('int_events') }}
    where visitor_id is not null
),

interactions as (
    select * from {{ ref('stg_raw__interactions') }}
    where visitor_id is not null
),

conversions as (
    select * from {{ ref('stg_raw__conversions') }}
    where visitor_id is not null
),

allowed_ids as (
    select * from {{ ref('stg_raw__shared_ids') }}
),

joined as (
    {%- for relation in ['events', 'interactions', 'conversions'] %}
    select
        org_id,
        'customer' as kind,
        customer_id as id,
        visitor_id
    from {{ relation }}
    where customer_id is not null

    union
    {% endfor %}
    {%- for relation in ['events', 'conversions'] %}
    select
        org_id,
        'email' as kind,
        email_hash as id,
        visitor_id
    from {{ relation }}
    where email_hash is not null
    {% if not loop.last %}
    union
    {% endif %}
    {%- endfor %}
),

counted as (
    select
        org_id,
        kind,
        id,
        count(*) as visitors
    from joined
    group by org_id, kind, id
),

ranked as (
    select
        *,
        row_number() over (partition by org_id, kind order by visitors, id) as rank,
        count(*) over (partition by org_id, kind) as ids
    from counted
),

-- The org's distribution: the usual share of ids joins at most so many visitors. The only id of an org has no usual number.
with_usual as (
    select
        *,
        coalesce(
            max(case when rank <= {{ var('shared_id_usual_share') }} * ids then visitors end) over (partition by org_id, kind), 0
        ) as usual_visitors
    from ranked
),

final as (
    select
        with_usual.org_id,
        with_usual.kind,
        with_usual.id,
        with_usual.visitors,
        with_usual.usual_visitors
    from with_usual
    left join allowed_ids using (org_id, id)
    where with_usual.visitors > {{ var('shared_id_min_visitors') }}
        and with_usual.visitors > {{ var('shared_id_times_usual') }} * with_usual.usual_visitors
        and allowed_ids.id is null
)

select * from final

with

answers as (
    select * from {{ ref('stg_raw__survey_answers') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

words as (
    select * from {{ ref('survey_words') }}
),

conversions as (
    select * from {{ ref('int_counted_conversions') }}
),

order_keys as (
    select * from {{ ref('int_order_keys') }}
),

conversion_touches as (
    select * from {{ ref('conversion_touches') }}
),

visitor_customers as (
    select * from {{ ref('int_visitor_customers') }}
),

shared_ids as (
    select * from {{ ref('int_shared_ids') }}
),

-- The longest word of the seed that the answer contains as a whole word.
distinct_answers as (
    select distinct
        answer,
        ' ' || {{ regex_replace('lower(answer)', "'[^\\p{L}\\p{N}.-]+'", "' '") }} || ' ' as spaced_answer
    from answers
),

answer_channels as (
    select
        distinct_answers.answer,
        max_by(words.channel, lpad(cast(length(words.word) as {{ dbt.type_string() }}), 4, '0') || words.word) as channel
    from distinct_answers
    inner join words
        on replace(distinct_answers.spaced_answer, '. ', ' ') like '% ' || words.word || ' %'
    group by distinct_answers.answer
),

with_own_customer as (
    select
        answers.*,
        {{ own_customer('answers') }} as own_customer_id
    from answers
    left join shared_ids
        on {{ shared_customer('answers') }}
),

identified as (
    select
        answers.org_id,
        answers.answer_id,
        answers.occurred_at,
        answers.question,
        answers.answer,
        answers.site_id,
        answers.visitor_id,
        coalesce(answers.own_customer_id, visitor_customers.customer_id) as customer_id,
        answers.order_id
    from with_own_customer as answers
    left join visitor_customers
        on {{ known_customer('answers', customer_id='answers.own_customer_id') }}
),

with_person as (
    select
        *,
        coalesce('c:' || customer_id, 'v:' || visitor_id) as person_key
    from identified
),

-- The conversion of the answer's order, else the person's last conversion before the answer.
candidates as (
    select
        with_person.org_id,
        with_person.answer_id,
        conversions.conversion_id,
        conversions.occurred_at,
        case when conversions.conversion_type = 'purchase' then 1 else 2 end as preference
    from with_person
    inner join order_keys
        on {{ named_order('with_person') }}
    inner join conversions
        on order_keys.org_id = conversions.org_id
        and order_keys.order_key = conversions.order_key

    union all

    select
        with_person.org_id,
        with_person.answer_id,
        conversions.conversion_id,
        conversions.occurred_at,
        3 as preference
    from with_person
    inner join conversions
        on with_person.org_id = conversions.org_id
        and with_person.person_key = conversions.person_key
        and conversions.occurred_at <= with_person.occurred_at
),

answered as (
    select * from (
        select
            *,
            row_number() over (
                partition by org_id, answer_id
                order by preference, occurred_at desc, conversion_id
            ) as rank
        from candidates
    ) as ranked
    where rank = 1
),

-- The credit of first_touch, last_touch and linear, which need not run.
channel_credit as (
    select
        conversion_touches.org_id,
        conversion_touches.conversion_id,
        conversion_touches.channel,
        row_number() over (
            partition by conversion_touches.org_id, conversion_touches.conversion_id
            order by sum(case when conversion_touches.position = 1 then 1 else 0 end) desc, conversion_touches.channel
        ) as first_touch_rank,
        row_number() over (
            partition by conversion_touches.org_id, conversion_touches.conversion_id
            order by sum(case when conversion_touches.position = conversion_touches.touchpoint_count then 1 else 0 end) desc, conversion_touches.channel
        ) as last_touch_rank,
        row_number() over (
            partition by conversion_touches.org_id, conversion_touches.conversion_id
            order by count(*) desc, conversion_touches.channel
        ) as linear_rank
    from conversion_touches
    inner join (select distinct org_id, conversion_id from answered) as wanted using (org_id, conversion_id)
    group by conversion_touches.org_id, conversion_touches.conversion_id, conversion_touches.channel
),

top_channels as (
    select
        org_id,
        conversion_id,
        max(case when first_touch_rank = 1 then channel end) as first_touch_channel,
        max(case when last_touch_rank = 1 then channel end) as last_touch_channel,
        max(case when linear_rank = 1 then channel end) as linear_channel
    from channel_credit
    group by org_id, conversion_id
),

final as (
    select
        with_person.org_id,
        with_person.answer_id,
        with_person.occurred_at,
        {{ reporting_date('with_person.occurred_at', 'orgs.timezone') }} as date,
        with_person.site_id,
        with_person.question,
        with_person.answer,
        answer_channels.channel as answer_channel,
        with_person.visitor_id,
        with_person.customer_id,
        with_person.order_id,
        answered.conversion_id,
        top_channels.first_touch_channel,
        top_channels.last_touch_channel,
        top_channels.linear_channel
    from with_person
    inner join orgs using (org_id)
    left join answer_channels using (answer)
    left join answered using (org_id, answer_id)
    left join top_channels using (org_id, conversion_id)
)

select * from final
order by org_id, occurred_at, answer_id

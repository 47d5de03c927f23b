{# Select the intervals in which each visitor is one customer. Between two customers a visitor belongs to the customer who
   identifies next; after the last one, to the last. `sightings` is a relation of org_id, visitor_id, customer_id and
   occurred_at. Plain Jinja, because ingestion/person/find.py renders it too. #}
{% macro visitor_intervals(sightings) -%}
    select
        org_id,
        visitor_id,
        customer_id,
        lag(occurred_at) over visitor as valid_after,
        case when next_customer_id is not null then occurred_at end as valid_until
    from (
        select
            *,
            lead(customer_id) over (partition by org_id, visitor_id order by occurred_at, customer_id) as next_customer_id
        from {{ sightings }}
    ) as followed
    where next_customer_id is distinct from customer_id
    window visitor as (partition by org_id, visitor_id order by occurred_at, customer_id)
{%- endmacro %}

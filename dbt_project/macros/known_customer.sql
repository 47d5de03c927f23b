{# Join condition: the interval of visitor_customers in which the row's visitor is a customer. At most one interval fits. A row
   with a customer of its own matches none, because a server can send all its customers under one visitor id.
   `at`: the row's time. `customer_id`: the expression of the row's own customer. #}
{% macro known_customer(relation, at='occurred_at', customer_id=none) -%}
    {{ relation }}.org_id = visitor_customers.org_id
    and case when {{ customer_id or relation ~ '.customer_id' }} is null then {{ relation }}.visitor_id end
        = visitor_customers.visitor_id
    and ({{ relation }}.{{ at }} > visitor_customers.valid_after or visitor_customers.valid_after is null)
    and ({{ relation }}.{{ at }} <= visitor_customers.valid_until or visitor_customers.valid_until is null)
{%- endmacro %}

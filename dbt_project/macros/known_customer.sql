{# Join condition: the interval of visitor_customers in which the row's visitor is a customer; at most one holds. Who has a
   customer already asks for none: a server may send all its customers under one visitor id, each of them an interval. #}
{% macro known_customer(relation, at='occurred_at', own=none) -%}
    {{ relation }}.org_id = visitor_customers.org_id
    and case when {{ own or relation ~ '.customer_id' }} is null then {{ relation }}.visitor_id end
        = visitor_customers.visitor_id
    and ({{ relation }}.{{ at }} > visitor_customers.valid_after or visitor_customers.valid_after is null)
    and ({{ relation }}.{{ at }} <= visitor_customers.valid_until or visitor_customers.valid_until is null)
{%- endmacro %}

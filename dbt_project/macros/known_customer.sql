{# Join condition: the interval of visitor_customers in which the row's visitor is a customer; at most one holds. #}
{% macro known_customer(relation, at='occurred_at') -%}
    {{ relation }}.org_id = visitor_customers.org_id
    and {{ relation }}.visitor_id = visitor_customers.visitor_id
    and ({{ relation }}.{{ at }} > visitor_customers.valid_after or visitor_customers.valid_after is null)
    and ({{ relation }}.{{ at }} <= visitor_customers.valid_until or visitor_customers.valid_until is null)
{%- endmacro %}

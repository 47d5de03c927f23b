{# Join condition: the row of shared_ids by which the row's customer is no person. #}
{% macro shared_customer(relation) -%}
    {{ relation }}.org_id = shared_ids.org_id
    and {{ relation }}.customer_id = shared_ids.id
    and shared_ids.kind = 'customer'
{%- endmacro %}

{# The row's customer; null if several people share the id. It needs the join of shared_customer. #}
{% macro own_customer(relation) -%} case when shared_ids.id is null then {{ relation }}.customer_id end {%- endmacro %}

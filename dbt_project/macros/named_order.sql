{# Join condition: the row of order_keys with the order that the row names by its site, or without one, and its order id. #}
{% macro named_order(relation) -%}
    {{ relation }}.org_id = order_keys.org_id
    and {{ relation }}.order_id = order_keys.order_id
    and coalesce({{ relation }}.site_id, '') = order_keys.site_id
{%- endmacro %}

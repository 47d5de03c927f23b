{# A number that no other row of the query has, in no particular order. Integers sort and join faster than ids. #}
{% macro unique_number() -%}
    {{ return(adapter.dispatch("unique_number", "tributary")()) }}
{%- endmacro %}

{% macro default__unique_number() -%} row_number() over () {%- endmacro %}

{% macro spark__unique_number() -%} monotonically_increasing_id() {%- endmacro %}

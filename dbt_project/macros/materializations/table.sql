{# Build a table in one transaction, which replaces the previous table or leaves it as it was. dbt-duckdb builds a second table,
   swaps their names and asks for indexes, foreign keys and grants, which the project does not use: up to ten statements, each of
   which takes dbt longer than DuckDB needs for a small table. #}
{% materialization table, adapter='duckdb' %}
    {%- set previous = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- if previous is not none and not previous.is_table -%}
        {%- do adapter.drop_relation(previous) -%}
    {%- endif -%}

    {%- call statement('main') -%}
        {%- if config.get('contract').enforced -%}
            {{ get_assert_columns_equivalent(sql) }}
            create or replace table {{ target }} {{ get_table_columns_and_constraints() }};
            insert into {{ target }} {{ get_column_names() }} ({{ get_select_subquery(sql) }})
        {%- else -%}
            create or replace table {{ target }} as ({{ sql }})
        {%- endif -%}
    {%- endcall -%}

    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

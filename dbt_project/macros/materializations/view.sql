{# Create a view in one statement. dbt's default creates a second view and swaps their names. #}
{% materialization view, adapter='duckdb' %}
    {%- set previous = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='view') -%}
    {%- if previous is not none and not previous.is_view -%}
        {%- do adapter.drop_relation(previous) -%}
    {%- endif -%}

    {%- call statement('main') -%}
        {%- if config.get('contract').enforced -%}
            {{ get_assert_columns_equivalent(sql) }}
        {%- endif -%}
        create or replace view {{ target }} as ({{ sql }})
    {%- endcall -%}

    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

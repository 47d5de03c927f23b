{# Tells Dagster, which reads dbt's log, the columns of a model and of what it is made of: it derives column lineage from
   them. As a hook this happens while the next model builds; asking afterwards took as long as the whole build. #}
{% macro log_columns() %}
    {%- if execute and env_var('DAGSTER_DBT_CLI', '') -%}
        {%- set parents = {} -%}
        {%- for unique_id in model.depends_on.nodes -%}
            {%- set node = graph.nodes.get(unique_id) or graph.sources.get(unique_id) -%}
            {%- set relation = api.Relation.create(
                database=node.database, schema=node.schema, identifier=node.identifier or node.alias
            ) -%}
            {%- do parents.update({relation | string: {'columns': columns_by_name(relation)}}) -%}
        {%- endfor -%}
        {%- do log(tojson({'columns': columns_by_name(this), 'parents': parents}), info=true) -%}
    {%- endif -%}
{% endmacro %}

{% macro columns_by_name(relation) %}
    {%- set columns = {} -%}
    {%- for column in adapter.get_columns_in_relation(relation) -%}
        {%- do columns.update({column.name: {'data_type': column.data_type}}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{% endmacro %}

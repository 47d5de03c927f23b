{# Join condition: a row of `reports` fits a conversion definition, by its source, its type and its site. #}
{% macro definition_fits(source, type) -%}
    definitions.source = '{{ source }}'
        and (definitions.source_types is null or {{ in_list('definitions.source_types', type) }})
        and (definitions.site_ids is null or {{ in_list('definitions.site_ids', 'reports.site_id') }})
{%- endmacro %}

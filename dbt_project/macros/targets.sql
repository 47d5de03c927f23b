{# The target of a row: its campaign's, else its platform's, else the org's. The joins are those of `target_joins`. #}
{% macro target_of(measure) -%}
    coalesce(campaign_targets.{{ measure }}, platform_targets.{{ measure }}, orgs.target_{{ measure }})
{%- endmacro %}

{# Joins of the CTE `targets` to the rows of a relation, for `target_of`: `campaign_targets` and `platform_targets`. #}
{% macro target_joins(relation) -%}
    left join targets as campaign_targets
        on {{ relation }}.org_id = campaign_targets.org_id
        and {{ relation }}.platform = campaign_targets.platform
        and {{ relation }}.campaign_id = campaign_targets.campaign_id
    left join targets as platform_targets
        on {{ relation }}.org_id = platform_targets.org_id
        and {{ relation }}.platform = platform_targets.platform
        and platform_targets.campaign_id is null
{%- endmacro %}

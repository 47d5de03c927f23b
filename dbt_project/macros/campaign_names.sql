{# One name of each campaign of a relation of ads. The ads of a renamed campaign can have several. #}
{% macro campaign_names(relation) -%}
    select
        org_id,
        platform,
        campaign_id,
        max(campaign) as campaign
    from {{ relation }}
    group by org_id, platform, campaign_id
{%- endmacro %}

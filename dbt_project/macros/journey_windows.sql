{# Windows: `conversion` has all touches of a conversion, `journey` those up to the current touch. #}
{% macro journey_windows() -%}
    window
        conversion as (partition by org_id, conversion_id),
        journey as (
            partition by org_id, conversion_id
            order by occurred_at, touchpoint_id
            rows between unbounded preceding and current row
        )
{%- endmacro %}

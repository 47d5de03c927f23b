{# Return the findings of one check of input_checks, as a warning. Dagster shows the description beside the check. #}
{% test input_check_finds_nothing(model, check_name) %}
{{ config(
    severity='warn',
    meta={'description': 'Warns of each finding of this check. input_checks has each finding, its place and the action.'}
) }}
select
    org_id,
    location,
    finding
from {{ model }}
where check_name = '{{ check_name }}'
{% endtest %}

{# Warn about the rows of one check of input_checks. #}
{% test input_check_finds_nothing(model, check_name) %}
{{ config(severity='warn') }}
select
    org_id,
    location,
    finding
from {{ model }}
where check_name = '{{ check_name }}'
{% endtest %}

{# How many visitors a measured visitor stands for: 100 / sample_percent; 1 without sampling or with an invalid percentage. #}
{% macro sample_weight(sample_percent) -%}
    cast(100.0 / case when {{ sample_percent }} between 1 and 100 then {{ sample_percent }} else 100 end as decimal(9, 6))
{%- endmacro %}

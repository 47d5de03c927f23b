{# How many visitors stand behind one that was measured: 100 / sample_percent; 1 where all are. A share that no sampling
   has says nothing. #}
{% macro sample_weight(sample_percent) -%}
    cast(100.0 / case when {{ sample_percent }} between 1 and 100 then {{ sample_percent }} else 100 end as decimal(9, 6))
{%- endmacro %}

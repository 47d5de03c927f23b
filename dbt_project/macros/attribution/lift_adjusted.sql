{# Equal credit, times the lift that an experiment measured for the channel at the time of the touch; 1 without an experiment. #}
{% macro lift_adjusted_weight() %}
    coalesce(lift_adjusted_channel_weight, 1000000)
{% endmacro %}

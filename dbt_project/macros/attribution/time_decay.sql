{# Halves with every half-life before the last touch. Measured from the last touch rather than from the conversion, which
   normalises to the same weights and never underflows to zero for all of them; in trillionths of the last touch. #}
{% macro time_decay_weight() %}
    cast(round(power(2.0, -days_before_last / {{ var('time_decay_half_life_days') }}) * 1e12) as bigint)
{% endmacro %}

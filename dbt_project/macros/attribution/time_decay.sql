{# Credit halves with each half-life before the last touch, in trillionths of the last touch. Measured from the conversion, the
   weights would normalise to the same values, but could all underflow to zero. #}
{% macro time_decay_weight() %}
    cast(round(power(2.0, -days_before_last / half_life_days) * 1e12) as bigint)
{% endmacro %}

{# The same credit to every reporting day with a touch, shared by the touches of the day. The unit is a multiple of lcm(1..20), so
   that up to twenty touches a day share it without a remainder. #}
{% macro daily_linear_weight() %}
    cast(round(232792560000.0 / day_touch_count) as bigint)
{% endmacro %}

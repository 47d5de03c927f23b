{# The org's shares for the first and the last touch, 40 % each by default; the touches between share the rest. Two touches share
   all in the ratio of the ends. The unit is .01 / (n - 2). #}
{% macro position_based_weight() %}
    case
        when touchpoint_count = 1 then 1
        when touchpoint_count = 2 then case when position = 1 then first_touch_percent else last_touch_percent end
        when position = 1 then first_touch_percent * (touchpoint_count - 2)
        when position = touchpoint_count then last_touch_percent * (touchpoint_count - 2)
        else 100 - first_touch_percent - last_touch_percent
    end
{% endmacro %}

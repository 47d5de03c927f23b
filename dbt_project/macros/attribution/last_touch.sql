{# All credit to the last touch. #}
{% macro last_touch_weight() %}
    case when position = touchpoint_count then 1 else 0 end
{% endmacro %}

{# All credit to the first touch. #}
{% macro first_touch_weight() %}
    case when position = 1 then 1 else 0 end
{% endmacro %}

{# All credit to the last touch that is not Direct, or to the last touch where all are Direct. #}
{% macro last_non_direct_weight() %}
    case
        when non_direct_count = 0 then case when position = touchpoint_count then 1 else 0 end
        when not is_direct and non_direct_position = non_direct_count then 1
        else 0
    end
{% endmacro %}

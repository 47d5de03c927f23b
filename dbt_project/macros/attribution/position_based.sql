{# 40 % to the first and the last touch each, 20 % shared by the touches between; halves for two. The unit is .2 / (n - 2). #}
{% macro position_based_weight() %}
    case
        when touchpoint_count <= 2 then 1
        when position in (1, touchpoint_count) then 2 * (touchpoint_count - 2)
        else 1
    end
{% endmacro %}

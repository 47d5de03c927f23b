{# 30 % to the first touch, the touch that led to the lead, and the last touch each; the others share 10 %. One touch can have two
   of these places or all. Without a lead in the journey it is position_based. The unit is .1 / (the number of others). #}
{% macro w_shaped_weight() %}
    case
        when lead_position = 0 then {{ position_based_weight() | trim }}
        else
            (
                case when position = 1 then 3 else 0 end
                + case when position = lead_position then 3 else 0 end
                + case when position = touchpoint_count then 3 else 0 end
            ) * greatest(
                touchpoint_count - 1
                - case when touchpoint_count > 1 then 1 else 0 end
                - case when lead_position > 1 and lead_position < touchpoint_count then 1 else 0 end,
                1
            )
            + case when position in (1, lead_position, touchpoint_count) then 0 else 1 end
    end
{% endmacro %}

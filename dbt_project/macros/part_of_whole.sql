{# What a touch gets of a whole amount: the rounded running share up to it less that before it, so that the parts of a
   conversion sum to the whole exactly, whatever the rounding. #}
{% macro part_of_whole(amount, model) %}
        cast(
            {{ running_share(amount, model ~ "_running", model ~ "_total") }}
            - {{ running_share(amount, "(" ~ model ~ "_running - " ~ model ~ "_weight)", model ~ "_total") }}
            as bigint
        )
{%- endmacro %}

{# Below 2^51 a double rounds amount * total / total back to the amount, and is fast; beyond, whole numbers. #}
{% macro running_share(amount, running, total) %}
            case
                when abs({{ amount }}) < 2251799813685248
                    then cast(round(cast({{ amount }} as double) * {{ running }} / {{ total }}) as bigint)
                else {{ rounded_share(amount, running, total) }}
            end
{%- endmacro %}

{# A touch's part of a whole amount: the rounded running share up to the touch less the share before it, so that the parts of a
   conversion sum to the whole exactly. Many touches have no weight or all of it, and need no rounding. #}
{% macro part_of_whole(amount, model) %}
        case
            when {{ model }}_weight = 0 then 0
            when {{ model }}_weight = {{ model }}_total then {{ amount }}
            else
                {{ running_share(amount, model ~ "_share", model ~ "_running", model ~ "_total") }}
                - {{ running_share(amount, model ~ "_share_before", "(" ~ model ~ "_running - " ~ model ~ "_weight)", model ~ "_total") }}
        end
{%- endmacro %}

{# amount * running / total, rounded half away from zero. `share`, the quotient as a double, is fast, and exact enough but for two
   cases: close to a half, where a tie and its neighbours look alike, and above 2^51, where it loses a micro. Only there whole
   numbers decide. #}
{% macro running_share(amount, share, running, total) -%}
                {%- set part = "(" ~ amount ~ " * " ~ share ~ ")" -%}
                case
                    when abs({{ amount }}) < 2251799813685248
                        and abs({{ part }} - floor({{ part }}) - 0.5) > 1e-6 + abs({{ part }}) * 1e-15
                        then cast(round({{ part }}) as bigint)
                    else {{ rounded_share(amount, running, total) }}
                end
{%- endmacro %}

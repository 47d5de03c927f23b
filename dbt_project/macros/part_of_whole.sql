{# A touch's part of a whole amount: the rounded running share up to the touch less the share before it, so that the parts of a
   conversion sum to the whole exactly. #}
{% macro part_of_whole(amount, model) %}
        cast(
            {{ running_share(amount, model ~ "_running", model ~ "_total") }}
            - {{ running_share(amount, "(" ~ model ~ "_running - " ~ model ~ "_weight)", model ~ "_total") }}
            as bigint
        )
{%- endmacro %}

{# amount * running / total, rounded half away from zero. A double is fast, and exact enough but for two cases: close to a half,
   where a tie and its neighbours look alike, and above 2^51, where it loses a micro. Only there whole numbers decide. #}
{% macro running_share(amount, running, total) %}
            {%- set share = "cast(" ~ amount ~ " as double) * " ~ running ~ " / " ~ total %}
            case
                when abs({{ amount }}) < 2251799813685248
                    and abs({{ share }} - floor({{ share }}) - 0.5) > 1e-6 + abs({{ share }}) * 1e-15
                    then cast(round({{ share }}) as bigint)
                else {{ rounded_share(amount, running, total) }}
            end
{%- endmacro %}

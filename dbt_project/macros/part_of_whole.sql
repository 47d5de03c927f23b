{# What a touch gets of a whole amount: the rounded running share up to it less that before it, so that the parts of a
   conversion sum to the whole exactly, whatever the rounding. The last touch closes on the amount itself. #}
{% macro part_of_whole(amount, model) %}
        cast(
            case
                when {{ model }}_running = {{ model }}_total then {{ amount }}
                else round(cast({{ amount }} as double) * {{ model }}_running / {{ model }}_total)
            end
            - round(cast({{ amount }} as double) * ({{ model }}_running - {{ model }}_weight) / {{ model }}_total)
            as bigint
        )
{%- endmacro %}

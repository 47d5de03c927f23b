{# Effects and transitions of the channels of an org's journeys, computed in Python (ingestion/channel_effects.py): an object with
   the lists `effects` and `transitions`. Arguments: lists of the journeys' persons, channels, conversions and weights, all in the
   order of their ids, and the org's path transform. #}
{% macro channel_effects(journey_id, transform) -%}
    {{ return(adapter.dispatch("channel_effects", "tributary")(journey_id, transform)) }}
{%- endmacro %}

{% macro default__channel_effects(journey_id, transform) -%}
    channel_effects(
        list(person_key order by {{ journey_id }}),
        list(channels order by {{ journey_id }}),
        list(is_converted order by {{ journey_id }}),
        list(cast(sample_weight as double) order by {{ journey_id }}),
        {{ transform }}
    )
{%- endmacro %}

{% macro spark__channel_effects(journey_id, transform) -%}
    channel_effects(
        {{ ordered_list('person_key', journey_id) }},
        {{ ordered_list('channels', journey_id) }},
        {{ ordered_list('is_converted', journey_id) }},
        {{ ordered_list('cast(sample_weight as double)', journey_id) }},
        {{ transform }}
    )
{%- endmacro %}

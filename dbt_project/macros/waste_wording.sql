{# Fill the places of a template of seeds/waste_reasons.csv with the figures and phrases of a flag. #}
{% macro waste_wording(template) -%}
    {{ filled(template, {
        'best_peer': 'best_peer_phrase',
        'best_peer_id': 'best_peer_id',
        'best_peer_cpa': as_money('best_peer_cpa_micros'),
        'grain': 'grain_phrase',
        'spend': as_money('spend_micros'),
        'waste': as_money('waste_spend_micros'),
        'daily_spend': as_money('spend_micros / window_days'),
        'cpa': as_money('spend_micros / nullif(conversions, 0)'),
        'target_cpa': as_money('target_cpa_micros'),
        'expected_gap': as_money('target_cpa_micros'),
        'roas': as_number('greatest(value_micros, 0) / cast(spend_micros as double)'),
        'target_roas': as_number('target_roas'),
        'expected': as_number('expected_conversions'),
        'overrun': as_percent('1 - target_cpa_micros * conversions / spend_micros'),
    }) }}
{%- endmacro %}

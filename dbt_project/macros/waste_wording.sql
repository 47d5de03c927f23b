{# Fill the places of a template of seeds/waste_reasons.csv with the phrases, figures and names of a flag. Phrases come first, because
   they have places of their own; names come last, because they can contain anything. #}
{% macro waste_wording(template) -%}
    {{ filled(template, {
        'cut': 'cut_phrase',
        'lower_cpa': 'lower_cpa_phrase',
        'raise_roas': 'raise_roas_phrase',
        'move': 'move_phrase',
        'name': 'name_phrase',
        'move_to': 'move_to_phrase',
        'spend': as_money_in('spend_micros', 'currency'),
        'daily_spend': as_money_in('daily_spend_micros', 'currency'),
        'daily_earned': as_money_in('daily_spend_micros - freed_daily_micros', 'currency'),
        'freed': as_money_in('freed_daily_micros', 'currency'),
        'cpa': as_money_in('spend_micros / nullif(conversions, 0)', 'currency'),
        'target_cpa': as_money_in('target_cpa_micros', 'currency'),
        'move_to_cpa': as_money_in('move_to_cpa_micros', 'currency'),
        'roas': as_number('greatest(value_micros, 0) / cast(spend_micros as double)'),
        'target_roas': as_number('target_roas'),
        'move_to_roas': as_number('move_to_roas'),
        'expected': as_number('expected_conversions'),
        'earned': as_percent('1 - waste_spend_micros / cast(spend_micros as double)'),
        'move_to_adset': 'move_to_adset',
        'move_to_campaign': 'move_to_campaign',
        'ad': 'ad_name',
        'adset': 'adset_name',
        'campaign': 'campaign_name',
    }) }}
{%- endmacro %}

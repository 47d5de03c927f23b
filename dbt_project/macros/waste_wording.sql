{# A wording of seeds/waste_reasons.csv with the flag's own figures in its places. #}
{% macro waste_wording(template) -%}
    {%- set places = {
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
        'grain': "case grain when 'CAMPAIGN' then 'campaign' when 'ADSET' then 'ad set' else 'ad' end",
        'best_peer': "coalesce(best_peer_id || ' (' || " ~ as_money('best_peer_cpa_micros') ~ " || ' a conversion)', 'a campaign that converts')",
    } -%}
    {%- set wording = namespace(sql=template) -%}
    {%- for place, expression in places.items() -%}
        {%- set wording.sql = "replace(" ~ wording.sql ~ ", '{" ~ place ~ "}', coalesce(" ~ expression ~ ", '-'))" -%}
    {%- endfor -%}
    {{ wording.sql }}
{%- endmacro %}

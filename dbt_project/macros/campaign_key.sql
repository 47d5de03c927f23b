{# The key by which sessions detect a new campaign: a hash of source and medium, and one of the other members, which a key can
   lack. #}
{% macro campaign_key(source, medium, members) -%}
    {{ hash_key(['lower(' ~ source ~ ')', 'lower(' ~ medium ~ ')']) }}
    {%- if members %} || '.' || {{ hash_key(members) }}{% endif %}
{%- endmacro %}

{# Whether a campaign is another one than the current campaign. A key without its second part equals every key of its source and
   medium. #}
{% macro is_new_campaign(key, current_key) -%}
    ({{ key }} is not null and coalesce(
        substring({{ key }}, 1, length({{ current_key }})) <> substring({{ current_key }}, 1, length({{ key }})),
        true
    ))
{%- endmacro %}

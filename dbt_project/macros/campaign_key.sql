{# The key by which sessions detect a new campaign: hashes of source and medium, of the click id, and of the other members. A key
   can lack the last parts. #}
{% macro campaign_key(source, medium, click=none, members=none) -%}
    {{ hash_key(['lower(' ~ source ~ ')', 'lower(' ~ medium ~ ')']) }}
    {%- if click %} || '.' || {{ hash_key(click) }}{% endif %}
    {%- if members %} || '.' || {{ hash_key(members) }}{% endif %}
{%- endmacro %}

{# Whether a campaign is another one than the current campaign. A key that lacks parts equals every key that begins with it. #}
{% macro is_new_campaign(key, current_key) -%}
    ({{ key }} is not null and coalesce(
        substring({{ key }}, 1, length({{ current_key }})) <> substring({{ current_key }}, 1, length({{ key }})),
        true
    ))
{%- endmacro %}

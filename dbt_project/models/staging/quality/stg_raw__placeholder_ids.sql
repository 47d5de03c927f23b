{#- The columns of the contracts that end in _id, by raw table. -#}
{%- set id_columns = {
    'events': ['event_id', 'anon_id', 'session_id', 'user_id', 'order_id', 'campaign_id'],
    'interactions': ['interaction_id', 'visitor_id', 'customer_id', 'campaign_id', 'adset_id', 'ad_id'],
    'conversions': ['conversion_id', 'visitor_id', 'customer_id', 'order_id'],
    'postbacks': ['postback_id', 'account_id', 'campaign_id', 'affiliate_id', 'click_id', 'order_id', 'visitor_id'],
    'survey_answers': ['answer_id', 'visitor_id', 'customer_id', 'order_id'],
} -%}
with

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

placeholders as (
    {%- for table, columns in id_columns.items() %}
    {%- set is_last_table = loop.last %}
    {%- for column in columns %}
    select
        org_id,
        site_id,
        {{ json_text('_placeholder_ids', column) }} as placeholder
    from {{ source('raw', table) }}
    where _placeholder_ids is not null
    {% if not (loop.last and is_last_table) %}
    union all
    {% endif %}
    {%- endfor %}
    {%- endfor %}
),

final as (
    select
        placeholders.org_id,
        placeholders.site_id,
        placeholders.placeholder,
        count(*) as ids
    from placeholders
    inner join orgs using (org_id)
    where placeholders.placeholder is not null
    group by placeholders.org_id, placeholders.site_id, placeholders.placeholder
)

select * from final

{%- set source_columns = ['source', 'medium', 'campaign', 'campaign_id', 'content', 'term', 'click_ids', 'channel'] -%}
{%- set stated = [] -%}
{%- for column in source_columns %}{% do stated.append('source.' ~ column) %}{% endfor -%}
with

source as (
    select * from {{ source('raw', 'events') }}
),

orgs as (
    select * from {{ source('raw', 'orgs') }}
),

-- An org that leaves tributary.yaml keeps its raw rows but leaves the models.
final as (
    select
        source.org_id,
        source.site_id,
        source.event_id,
        source.type,
        source.occurred_at,
        source.anon_id as visitor_id,
        source.user_id as customer_id,
        source.session_id,
        source.url,
        source.path,
        source.referrer,
        source.user_agent,
        source.value_micros,
        source.currency,
        source.order_id,
        source.conversion_type,
        source.email_hash,
        source.entity_type,
        source.entity_id,
        source.consent,
        source.sample_percent,
        coalesce(source.is_replay, false) as is_replay,
        coalesce(source.has_own_id, true) as has_sender_id,
        source.ip_hash,
        source.properties,
        {%- for column in source_columns %}
        source.{{ column }} as given_{{ column }},
        {%- endfor %}
        case
            when coalesce({{ stated | join(', ') }}) is null then coalesce(source.url, source.path)
            else {{ hash_key(['coalesce(source.url, source.path)'] + stated) }}
        end as link_id
    from source
    inner join orgs using (org_id)
)

select * from final

{#- A view: almost all links are the addresses of int_urls, and a stored copy would repeat them. -#}
{{ config(materialized='view') }}

{%- set columns = [
    'host', 'utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term', 'utm_id', 'click_id_type', 'click_id',
    'campaign_id', 'campaign_id_platform', 'adset_id', 'ad_id', 'ref', 'creator_code', 'campaign_key',
] %}

with

urls as (
    select * from {{ ref('int_urls') }}
),

given_links as (
    select * from {{ ref('int_given_links') }}
),

final as (
    select
        page_url as link_id,
        {{ columns | join(',
        ') }},
        cast(null as {{ dbt.type_string() }}) as given_channel,
        campaign_key is not null as is_tagged
    from urls

    union all

    select
        link_id,
        {{ columns | join(',
        ') }},
        given_channel,
        is_tagged
    from given_links
)

select * from final

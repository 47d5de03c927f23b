{#- A brand has one site for each country under such an ending: google.de, google.co.uk, google.com.br. -#}
{%- set country_ending = '[.](?:com|org|net|info|[a-z]{2}|(?:co|com|org|net|ne|or)[.][a-z]{2})' -%}
with

urls as (
    select * from {{ ref('int_urls') }}
),

referrers as (
    select * from {{ ref('int_referrers') }}
),

interactions as (
    select * from {{ ref('stg_raw__interactions') }}
),

click_ids as (
    select * from {{ ref('click_ids') }}
),

source_categories as (
    select * from {{ ref('source_categories') }}
),

source_platforms as (
    select * from {{ ref('source_platforms') }}
),

spellings as (
    select distinct utm_source as source from urls
    union
    select distinct ref as source from urls
    union
    select distinct host as source from referrers
    union
    select distinct {{ without_www('host') }} as source from referrers
    union
    select distinct name as source from source_categories
    union
    select distinct source from click_ids
    union
    select distinct source from interactions
    union
    select distinct platform as source from interactions
    union
    select distinct channel as source from interactions
),

sources as (
    select distinct
        lower(trim(source)) as source,
        {{ without_www('lower(trim(source))') }} as bare_source
    from spellings
    where trim(source) <> ''
),

-- From the exact name to the widest domain that contains it: m.facebook.com, m.facebook.*, facebook.com.
lookup_keys as (
    select
        source,
        1 as preference,
        bare_source as lookup_key
    from sources

    union all

    select
        source,
        2 as preference,
        {{ regex_capture('bare_source', "'^(.+?)" ~ country_ending ~ "$'") }} || '.*' as lookup_key
    from sources
    {%- for labels in range(1, 4) %}

    union all

    select
        source,
        {{ labels + 2 }} as preference,
        {{ regex_capture('bare_source', "'^(?:[^.]+[.]){" ~ labels ~ "}([^.]+[.].+)$'") }} as lookup_key
    from sources
    {%- endfor %}
),

categorized as (
    select
        lookup_keys.source,
        min_by(source_categories.category, lookup_keys.preference) as category,
        min_by(source_categories.name, lookup_keys.preference) as name
    from lookup_keys
    inner join source_categories on lookup_keys.lookup_key = source_categories.source
    group by lookup_keys.source
),

final as (
    select
        sources.source,
        sources.bare_source,
        categorized.category,
        categorized.name,
        coalesce(by_alias.platform, by_name.platform) as platform
    from sources
    left join categorized using (source)
    left join source_platforms as by_alias on sources.bare_source = by_alias.alias
    left join source_platforms as by_name on categorized.name = by_name.alias
)

select * from final

{#- A brand has one site for each country under such an ending: google.de, google.co.uk, google.com.br. -#}
{%- set country_ending = '[.](?:com|org|net|info|[a-z]{2}|(?:co|com|org|net|ne|or)[.][a-z]{2})' -%}
{#- The words with which people mark a source as paid: facebook-ads, google_adwords, fb_paid, Microsoft Advertising. -#}
{%- set paid_ending = '(?:ads?|adwords|advertising|adnetwork|paid|ppc|cpc)' -%}
with

events as (
    select * from {{ ref('stg_raw__events') }}
),

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
    select
        {{ word_key('alias') }} as word,
        min(platform) as platform,
        bool_or(is_ad_product) as is_ad_product
    from {{ ref('source_platforms') }}
    group by {{ word_key('alias') }}
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
    union
    select distinct given_source as source from events
    union
    select distinct given_channel as source from events
),

distinct_sources as (
    select distinct lower(trim(source)) as source
    from spellings
    where trim(source) <> ''
),

with_host as (
    select
        source,
        {{ without_www('source') }} as bare_source,
        {{ without_www(url_host('source')) }} as host
    from distinct_sources
),

with_word as (
    select
        *,
        case when host is null then {{ word_key('source') }} end as word
    from with_host
),

sources as (
    select
        *,
        {{ regex_capture('word', "'^(.+?)" ~ paid_ending ~ "+$'") }} as unpaid_word
    from with_word
),

-- From the exact host to the widest domain that contains it: m.ebay.de, m.ebay.*, ebay.de, ebay.*. A mail server is one by its
-- first label (webmail2.example.com), unless the seed has its exact host.
host_keys as (
    {%- for labels in range(0, 5) %}
    {%- set domain = 'host' if labels == 0 else parent_domain('host', labels) %}
    select
        source,
        {{ 10 * labels + 1 }} as preference,
        {{ domain }} as lookup_key
    from sources

    union all

    select
        source,
        {{ 10 * labels + 2 }} as preference,
        {{ regex_capture(domain, "'^(.+?)" ~ country_ending ~ "$'") }} || '.*' as lookup_key
    from sources

    union all
    {% endfor %}
    select
        source,
        5 as preference,
        {{ regex_capture('host', "'^([a-z-]+)[a-z0-9]*[.][^.]+[.]'") }} || '.' as lookup_key
    from sources
),

-- The words of a brand: its rows without a domain, then the names of its sites. A brand's ads and other sites do not decide.
brand_words as (
    select
        {{ word_key('source') }} as word,
        category,
        name,
        1 as preference
    from source_categories
    where source not like '%.%'

    union all

    select
        {{ word_key('name') }} as word,
        category,
        name,
        2 as preference
    from source_categories
    where source like '%.%' and category not in ('ADS', 'OTHER')
),

words as (
    select
        word,
        min_by(category, preference) as category,
        min_by(name, preference) as name
    from brand_words
    group by word
),

matches as (
    select
        host_keys.source,
        host_keys.preference,
        source_categories.category,
        source_categories.name
    from host_keys
    inner join source_categories on host_keys.lookup_key = source_categories.source

    union all

    select
        sources.source,
        100 as preference,
        words.category,
        words.name
    from sources
    inner join words using (word)

    union all

    select
        sources.source,
        101 as preference,
        words.category,
        words.name
    from sources
    inner join words on sources.unpaid_word = words.word
),

categorized as (
    select
        source,
        min(preference) as preference,
        min_by(category, preference) as category,
        min_by(name, preference) as name
    from matches
    group by source
),

final as (
    select
        sources.source,
        sources.bare_source,
        nullif(categorized.category, 'OTHER') as category,
        case when categorized.preference = 5 then sources.bare_source else categorized.name end as name,
        coalesce(by_word.platform, by_unpaid_word.platform, by_name.platform) as platform,
        coalesce(
            by_word.is_ad_product,
            categorized.preference = 101 or (categorized.preference is null and by_unpaid_word.platform is not null)
        ) as is_ad_product
    from sources
    left join categorized using (source)
    left join source_platforms as by_word on sources.word = by_word.word
    left join source_platforms as by_unpaid_word on sources.unpaid_word = by_unpaid_word.word
    left join source_platforms as by_name on {{ word_key('categorized.name') }} = by_name.word
)

select * from final

{%- set utm_parameters = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term', 'utm_id'] -%}
with

events as (
    select * from {{ ref('stg_raw__events') }}
),

entities as (
    select * from {{ ref('stg_raw__ad_entities') }}
),

click_ids as (
    select * from {{ ref('click_ids') }}
),

url_parameters as (
    select * from {{ ref('url_parameters') }}
),

placeholder_patterns as (
    select * from {{ ref('placeholder_ids') }}
),

page_urls as (
    select coalesce(url, path) as page_url from events

    union

    select destination_url as page_url from entities
),

-- Each address is parsed once, however many events it has. Browsers drop line breaks and tabs in an address, and so do we.
addresses as (
    select
        page_url,
        {{ regex_replace("replace(page_url, '&amp;', '&')", "'[\\t\\r\\n]'", "''") }} as address
    from page_urls
    where page_url is not null
),

-- A single-page app keeps its parameters behind the #. They count only where the query itself has none.
queries as (
    select
        page_url,
        1 as preference,
        {{ regex_capture('address', "'^[^?#]*[?]([^#]*)'") }} as query
    from addresses

    union all

    select
        page_url,
        2 as preference,
        coalesce(
            {{ regex_capture('address', "'^[^#]*#((?i:utm_).*)'") }},
            {{ regex_capture('address', "'^[^#]*#[^?]*[?](.*)'") }}
        ) as query
    from addresses
),

present_queries as (
    select * from queries where query is not null
),

pairs as (
    {{ split_to_rows('present_queries', ['page_url', 'preference'], 'query', '&') }}
),

parameters as (
    select
        page_url,
        preference,
        position,
        lower(trim({{ percent_decoded("split_part(part, '=', 1)") }})) as name,
        trim({{ percent_decoded(regex_capture('part', "'^[^=]*=(.*)'")) }}) as value
    from pairs
),

-- A real click id has many digits, so that few values are compared with the patterns.
placeholders as (
    select distinct suspects.value
    from (
        select distinct parameters.value
        from parameters
        inner join click_ids on parameters.name = click_ids.parameter
        where not {{ regex_matches('parameters.value', "'^[0-9A-Za-z].*[1-9].*[1-9].*[1-9]'") }}
    ) as suspects
    inner join placeholder_patterns
        on {{ regex_matches('lower(suspects.value)', "'^(?:' || placeholder_patterns.pattern || ')$'") }}
),

known_parameters as (
    select
        parameters.*,
        click_ids.click_id_type,
        click_ids.priority as click_id_priority,
        url_parameters.level,
        url_parameters.priority as level_priority
    from parameters
    left join click_ids on parameters.name = click_ids.parameter
    left join url_parameters on parameters.name = url_parameters.parameter
    left join placeholders
        on parameters.value = placeholders.value
        and click_ids.parameter is not null
    where parameters.value <> ''
        and placeholders.value is null
        and (
            click_ids.parameter is not null
            or url_parameters.parameter is not null
            or parameters.name in ('{{ utm_parameters | join("', '") }}', 'ref', 'creator')
        )
),

-- The first value of a repeated parameter counts. An id in the query does not disable the fragment, because pages have ids too.
ranked as (
    select
        *,
        row_number() over (partition by page_url, preference, name order by position) as occurrence,
        min(case when level is null then preference end) over (partition by page_url) as best_preference
    from known_parameters
),

by_page as (
    select
        page_url,
        max(case when name = 'utm_source' then value end) as utm_source,
        max(case when name = 'utm_medium' then value end) as utm_medium,
        max(case when name = 'utm_campaign' then value end) as utm_campaign,
        max(case when name = 'utm_content' then value end) as utm_content,
        max(case when name = 'utm_term' then value end) as utm_term,
        max(case when name = 'utm_id' then value end) as utm_id,
        min_by(click_id_type, click_id_priority) as click_id_type,
        min_by(case when click_id_type is not null then value end, click_id_priority) as click_id,
        min_by(value, case when level = 'campaign' then preference * 1000 + level_priority end) as campaign_id,
        min_by(value, case when level = 'adset' then preference * 1000 + level_priority end) as adset_id,
        min_by(value, case when level = 'ad' then preference * 1000 + level_priority end) as ad_id,
        max(case when name = 'ref' then value end) as ref,
        max(case when name = 'creator' then value end) as creator_code
    from ranked
    where occurrence = 1 and (preference = best_preference or level is not null)
    group by page_url
),

final as (
    select
        addresses.page_url,
        {{ url_host('addresses.address') }} as host,
        by_page.utm_source,
        by_page.utm_medium,
        by_page.utm_campaign,
        by_page.utm_content,
        by_page.utm_term,
        by_page.utm_id,
        by_page.click_id_type,
        by_page.click_id,
        by_page.campaign_id,
        by_page.adset_id,
        by_page.ad_id,
        by_page.ref,
        by_page.creator_code,
        case
            when coalesce({{ utm_parameters | join(', ') }}, click_id) is not null
                then {{ hash_key(utm_parameters + ['click_id_type', 'click_id']) }}
        end as campaign_key
    from addresses
    left join by_page using (page_url)
)

select * from final

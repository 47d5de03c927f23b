{%- set utm_parameters = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term', 'utm_id'] -%}
{#- Cleaned addresses have no tab, so a tab can separate. -#}
{%- set tab = '\t' -%}
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

    -- The page before the first page of a visitor can have the link.
    union

    select referrer as page_url from events where referrer like '%=%'

    -- Stated click ids are read like an address that has nothing else.
    union

    select '?' || given_click_ids as page_url from events
),

-- Each address is parsed once, however many events it has.
addresses as (
    select
        page_url,
        {{ clean_address('page_url') }} as address
    from page_urls
    where page_url is not null
),

-- A single-page app keeps its parameters behind the #. A link without ? begins its parameters with &.
queries as (
    select
        page_url,
        'query' as place,
        {{ regex_capture('address', "'^[^?#&]*[?&]([^#]*)'") }} as query
    from addresses

    union all

    select
        page_url,
        'fragment' as place,
        {{ regex_capture('address', "'^[^#]*#(.*)'") }} as query
    from addresses
),

present_queries as (
    select * from queries where query is not null
),

pairs as (
    {{ split_to_rows('present_queries', ['page_url', 'place'], 'query', '&') }}
),

marked_pairs as (
    select
        *,
        {{ regex_matches('part', "'^[^A-Za-z0-9%]*(?i:utm)'") }} as is_utm
    from pairs
),

-- The & between utm parameters can be encoded or missing, and redirects encode values that are encoded. These replacements are
-- for utm parameters only, because other values can be whole addresses.
decoded_pairs as (
    select
        page_url,
        place,
        position as pair_position,
        is_utm,
        case
            when is_utm
                then {{ regex_replace(
                    percent_decoded(regex_replace('part', "'%(?:25)+([0-9A-Fa-f]{2})'", "'%\\1'")),
                    "'[?&#;,| ]*(?:amp;)*((?i:utm_(?:source|medium|campaign|content|term|id))=)'",
                    "'" ~ tab ~ "\\1'"
                ) }}
            else part
        end as text
    from marked_pairs
),

-- A value can have further parameters behind a second ?, # or ;.
texts as (
    select
        page_url,
        place,
        pair_position,
        is_utm,
        {{ regex_replace('text', "'[?&#;]+(?:amp;)*([A-Za-z0-9_]+=)'", "'" ~ tab ~ "\\1'") }} as text
    from decoded_pairs
),

pieces as (
    {{ split_to_rows('texts', ['page_url', 'place', 'pair_position', 'is_utm'], 'text', tab) }}
),

parameters as (
    select
        page_url,
        place,
        pair_position * 1000 + position as position,
        {{ regex_capture(
            'lower(trim(case when is_utm then name else ' ~ percent_decoded('name') ~ ' end))', "'([^/?#;!]+)$'"
        ) }} as name,
        {{ regex_replace(
            'trim(case when is_utm then value else ' ~ percent_decoded('value') ~ ' end)',
            "'^[\"“”]+(.*?)[\"“”]+$'", "'\\1'"
        ) }} as value
    from (
        select
            *,
            split_part(part, '=', 1) as name,
            {{ regex_capture('part', "'^[^=]*=(.*)'") }} as value
        from pieces
    ) as split_pieces
),

-- `distinct` removes no row. With it, DuckDB keeps the rows for both readers instead of parsing all addresses again.
stated_parameters as (
    select distinct
        parameters.*,
        click_ids.click_id_type,
        click_ids.priority as click_id_priority,
        url_parameters.level,
        url_parameters.platform,
        url_parameters.priority as level_priority
    from parameters
    left join click_ids on parameters.name = click_ids.parameter
    left join url_parameters on parameters.name = url_parameters.parameter
    -- GA4 writes (redacted) in place of a value that it removed.
    where parameters.value <> ''
        and lower(parameters.value) <> '(redacted)'
        and (
            click_ids.parameter is not null
            or url_parameters.parameter is not null
            or parameters.name in ('{{ utm_parameters | join("', '") }}', 'ref', 'creator')
        )
),

-- A real click id has many digits, so that few values are compared with the patterns, each once.
placeholders as (
    select distinct suspects.value
    from (
        select distinct value
        from stated_parameters
        where click_id_type is not null
            and not {{ regex_matches('value', "'^[0-9A-Za-z].*[1-9].*[1-9].*[1-9]'") }}
    ) as suspects
    inner join placeholder_patterns
        on {{ regex_matches('lower(suspects.value)', "'^(?:' || placeholder_patterns.pattern || ')$'") }}
),

known_parameters as (
    select stated_parameters.*
    from stated_parameters
    left join placeholders
        on stated_parameters.value = placeholders.value
        and stated_parameters.click_id_type is not null
    where placeholders.value is null
),

-- The first value of a repeated parameter counts.
by_place as (
    select
        page_url,
        place,
        {%- for parameter in utm_parameters + ['ref', 'creator'] %}
        min_by(value, case when name = '{{ parameter }}' then position end) as {{ parameter }},
        {%- endfor %}
        min(click_id_priority) as click_id_priority,
        min_by(click_id_type, click_id_priority) as click_id_type,
        min_by(value, click_id_priority * 1000000 + position) as click_id,
        {%- for level in ['campaign', 'adset', 'ad'] %}
        min_by(value, case when level = '{{ level }}' then level_priority * 1000000 + position end) as {{ level }}_id,
        {%- endfor %}
        min_by(
            coalesce(platform, ''), case when level = 'campaign' then level_priority * 1000000 + position end
        ) as campaign_id_platform
    from known_parameters
    group by page_url, place
),

with_utm as (
    select
        *,
        coalesce({{ utm_parameters | join(', ') }}) is not null as has_utm
    from by_place
),

-- The utm parameters behind the # count only where the query has none, because the two can belong to different links.
combined as (
    select
        addresses.page_url,
        addresses.address,
        {%- for parameter in utm_parameters %}
        case when in_query.has_utm then in_query.{{ parameter }} else in_fragment.{{ parameter }} end as {{ parameter }},
        {%- endfor %}
        {%- for column in ['click_id_type', 'click_id'] %}
        case
            when in_fragment.click_id_priority < coalesce(in_query.click_id_priority, in_fragment.click_id_priority + 1)
                then in_fragment.{{ column }}
            else in_query.{{ column }}
        end as {{ column }},
        {%- endfor %}
        coalesce(in_query.campaign_id, in_fragment.campaign_id) as campaign_id,
        nullif(
            case
                when in_query.campaign_id is not null then in_query.campaign_id_platform
                else in_fragment.campaign_id_platform
            end, ''
        ) as campaign_id_platform,
        coalesce(in_query.adset_id, in_fragment.adset_id) as adset_id,
        coalesce(in_query.ad_id, in_fragment.ad_id) as ad_id,
        coalesce(in_query.ref, in_fragment.ref) as ref,
        coalesce(in_query.creator, in_fragment.creator) as creator_code
    from addresses
    left join with_utm as in_query
        on addresses.page_url = in_query.page_url
        and in_query.place = 'query'
    left join with_utm as in_fragment
        on addresses.page_url = in_fragment.page_url
        and in_fragment.place = 'fragment'
),

final as (
    select
        page_url,
        {{ url_host('address') }} as host,
        utm_source,
        utm_medium,
        utm_campaign,
        utm_content,
        utm_term,
        utm_id,
        combined.click_id_type,
        combined.click_id,
        combined.campaign_id,
        combined.campaign_id_platform,
        combined.adset_id,
        combined.ad_id,
        combined.ref,
        creator_code,
        case
            when coalesce({{ utm_parameters | join(', ') }}, click_id) is not null
                then {{ campaign_key(
                    'coalesce(combined.utm_source, click_ids.source)',
                    'coalesce(combined.utm_medium, click_ids.medium)',
                    ['combined.click_id_type', 'combined.click_id'],
                    ['utm_campaign', 'utm_content', 'utm_term', 'utm_id'],
                ) }}
        end as campaign_key
    from combined
    left join click_ids on combined.click_id_type = click_ids.click_id_type
)

select * from final

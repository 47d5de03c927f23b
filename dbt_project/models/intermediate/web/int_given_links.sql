{%- set members = ['source', 'medium', 'campaign', 'campaign_id', 'content', 'term'] -%}
{%- set texts = members + ['channel'] -%}
{%- set unpaid = "('organic', 'referral')" -%}
{%- set direct = "('direct', 'directnone', 'directtraffic')" -%}
with

events as (
    select * from {{ ref('stg_raw__events') }}
),

urls as (
    select * from {{ ref('int_urls') }}
),

sources as (
    select * from {{ ref('int_sources') }}
),

click_ids as (
    select * from {{ ref('click_ids') }}
),

placeholder_patterns as (
    select * from {{ ref('placeholder_ids') }}
),

given as (
    select distinct
        link_id,
        coalesce(url, path) as page_url,
        {%- for text in texts %}
        trim(given_{{ text }}) as {{ text }},
        {%- endfor %}
        '?' || given_click_ids as click_ids_url
    from events
    where coalesce(given_{{ texts | join(', given_') }}, given_click_ids) is not null
),

distinct_texts as (
    {%- for text in texts %}
    select {{ text }} as text from given
    {%- if not loop.last %}

    union
    {% endif %}
    {%- endfor %}
),

no_texts as (
    select distinct distinct_texts.text
    from distinct_texts
    inner join placeholder_patterns
        on {{ regex_matches('lower(distinct_texts.text)', "'^(?:' || placeholder_patterns.pattern || ')$'") }}
),

cleaned as (
    select
        given.link_id,
        given.page_url,
        {%- for text in texts %}
        case when no_{{ text }}.text is null then given.{{ text }} end as {{ text }},
        {%- endfor %}
        from_click.click_id_type,
        from_click.click_id,
        from_click.campaign_id as url_campaign_id,
        from_click.campaign_id_platform,
        from_click.adset_id,
        from_click.ad_id,
        click_ids.source as click_source,
        click_ids.medium as click_medium,
        click_ids.is_paid_evidence
    from given
    {%- for text in texts %}
    left join no_texts as no_{{ text }} on given.{{ text }} = no_{{ text }}.text
    {%- endfor %}
    left join urls as from_click on given.click_ids_url = from_click.page_url
    left join click_ids on from_click.click_id_type = click_ids.click_id_type
),

-- The URL counts first. An event that states something else than its URL states it about another link, such as the first link
-- of the session.
other_links as (
    select cleaned.link_id
    from cleaned
    inner join urls using (page_url)
    left join click_ids on urls.click_id_type = click_ids.click_id_type
    left join sources as own_sources on lower(trim(coalesce(urls.utm_source, click_ids.source))) = own_sources.source
    left join sources as given_sources on lower(coalesce(cleaned.source, cleaned.click_source)) = given_sources.source
    where (
        own_sources.source <> given_sources.source
        and coalesce(own_sources.platform <> given_sources.platform, true)
    )
    {%- for member in members[1:] %}
    or lower(urls.utm_{{ 'id' if member == 'campaign_id' else member }}) <> lower(cleaned.{{ member }})
    {%- endfor %}
    or (urls.click_id_type = cleaned.click_id_type and urls.click_id <> cleaned.click_id)
    or (click_ids.is_paid_evidence and urls.utm_medium is null and lower(cleaned.medium) in {{ unpaid }})
),

-- Of two mediums, a click id's own counts if it proves that somebody paid: analytics tools call some paid clicks organic.
stated as (
    select
        cleaned.*,
        case
            when is_paid_evidence and lower(medium) in {{ unpaid }} then click_medium
            else medium
        end as real_medium
    from cleaned
    left join other_links using (link_id)
    where other_links.link_id is null
),

combined as (
    select
        links.link_id,
        urls.host,
        {%- for member in members %}
        {%- set parameter = 'utm_id' if member == 'campaign_id' else 'utm_' ~ member %}
        coalesce(urls.{{ parameter }}, stated.{{ 'real_medium' if member == 'medium' else member }}) as {{ parameter }},
        {%- endfor %}
        {%- for column in ['click_id_type', 'click_id', 'adset_id', 'ad_id'] %}
        coalesce(urls.{{ column }}, stated.{{ column }}) as {{ column }},
        {%- endfor %}
        coalesce(urls.campaign_id, stated.url_campaign_id) as campaign_id,
        case
            when urls.campaign_id is not null then urls.campaign_id_platform
            else stated.campaign_id_platform
        end as campaign_id_platform,
        urls.ref,
        urls.creator_code,
        urls.campaign_key as url_campaign_key,
        coalesce(stated.source, stated.click_source) as stated_source,
        coalesce(stated.real_medium, stated.click_medium) as stated_medium,
        coalesce(
            stated.source, stated.medium, stated.campaign, stated.campaign_id, stated.content, stated.term, stated.click_id
        ) is not null as has_campaign,
        case
            when urls.campaign_key is null or coalesce(stated.source, stated.click_source) is not null then stated.channel
        end as given_channel
    from cleaned as links
    left join urls using (page_url)
    left join stated using (link_id)
),

-- A stated campaign can stand on every event of a session, and the URLs of later pages lack it. So its key has source, medium and
-- click id only.
final as (
    select
        link_id,
        host,
        utm_source,
        utm_medium,
        utm_campaign,
        utm_content,
        utm_term,
        utm_id,
        click_id_type,
        click_id,
        campaign_id,
        campaign_id_platform,
        adset_id,
        ad_id,
        ref,
        creator_code,
        given_channel,
        case
            when url_campaign_key is not null then url_campaign_key
            when click_id is not null
                then {{ campaign_key('stated_source', 'stated_medium', ['click_id_type', 'click_id']) }}
            when has_campaign then {{ campaign_key('stated_source', 'stated_medium') }}
            when {{ word_key('given_channel') }} not in {{ direct }}
                then {{ campaign_key('given_channel', "''") }}
        end as campaign_key,
        url_campaign_key is not null as is_tagged
    from combined
)

select * from final

{%- set campaign = 'org_id, platform, campaign_id' -%}
with

campaigns as (
    select * from {{ ref('int_campaigns') }}
),

entities as (
    select * from {{ ref('int_current_entities') }}
    where level = 'campaign'
),

spend as (
    select * from {{ ref('int_spend_reports') }}
),

campaign_channels as (
    select * from {{ ref('int_campaign_channels') }}
),

platform_channels as (
    select * from {{ ref('platform_channels') }}
),

campaign_words as (
    select * from {{ ref('campaign_words') }}
),

accounts as (
    select
        {{ campaign }},
        min(account_id) as account_id,
        min(channel) as channel
    from spend
    group by {{ campaign }}
),

-- Words between single spaces, so that each word of the seed can be found with a space on both sides.
named as (
    select
        campaigns.org_id,
        campaigns.platform,
        campaigns.campaign_id,
        max(entities.objective) as objective,
        ' ' || max({{ regex_replace(
            "coalesce(entities.name, campaigns.campaign, '')", "'[^\\p{L}\\p{N}]+'", "' '"
        ) }}) || ' ' as words
    from campaigns
    left join entities
        on campaigns.org_id = entities.org_id
        and campaigns.platform = entities.platform
        and campaigns.campaign_id = entities.entity_id
    group by campaigns.org_id, campaigns.platform, campaigns.campaign_id
),

-- A country code counts in capitals only: `DE` is Germany, `de` is Spanish.
found as (
    select
        named.org_id,
        named.platform,
        named.campaign_id,
        campaign_words.meaning,
        min_by(campaign_words.value, campaign_words.priority) as value
    from named
    inner join campaign_words
        on case when campaign_words.is_code then named.words else lower(named.words) end like '% ' || campaign_words.word || ' %'
    group by named.org_id, named.platform, named.campaign_id, campaign_words.meaning
),

described as (
    select
        named.org_id,
        named.platform,
        named.campaign_id,
        named.objective,
        accounts.account_id,
        countries.value as country,
        coalesce(
            channels.value, campaign_channels.channel, accounts.channel, platform_channels.channel, 'Unassigned'
        ) as channel,
        coalesce(audiences.value, 'new') as audience
    from named
    left join accounts using ({{ campaign }})
    left join campaign_channels using ({{ campaign }})
    left join platform_channels using (platform)
    {%- for meaning, relation in [('country', 'countries'), ('channel', 'channels'), ('audience', 'audiences')] %}
    left join found as {{ relation }}
        on {{ relation }}.meaning = '{{ meaning }}'
        and named.org_id = {{ relation }}.org_id
        and named.platform = {{ relation }}.platform
        and named.campaign_id = {{ relation }}.campaign_id
    {%- endfor %}
),

with_account as (
    select
        *,
        min(country) over (partition by org_id, platform, account_id) as first_country,
        max(country) over (partition by org_id, platform, account_id) as last_country
    from described
),

final as (
    select
        org_id,
        platform,
        campaign_id,
        coalesce(
            country,
            case when first_country = last_country then first_country end,
            'account ' || account_id,
            ''
        ) as market,
        channel,
        channel || case audience when 'new' then '' else ', ' || audience end || coalesce(', ' || objective, '') as kind,
        audience <> 'retargeting' and (audience <> 'brand' or channel <> 'Paid Search') as has_room
    from with_account
)

select * from final

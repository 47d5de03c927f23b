with

events as (
    select * from {{ ref('int_sessionized_events') }}
),

sites as (
    select * from {{ ref('stg_raw__sites') }}
),

referrers as (
    select
        org_id,
        referrer,
        {{ url_host('referrer') }} as host,
    from events
    where is_page and referrer is not null
    group by org_id, referrer
),

own_domains as (
    select distinct
        org_id,
        {{ without_www(url_host('domain')) }} as domain,
    from (select org_id, {{ unnest('domains') }} as domain from sites) as site_domains
),

own_hosts as (
    select distinct
        referrers.org_id,
        referrers.host,
    from referrers
    inner join own_domains
        on referrers.org_id = own_domains.org_id
        and (
            referrers.host = own_domains.domain
            or right(referrers.host, length(own_domains.domain) + 1) = '.' || own_domains.domain
        )
),

final as (
    select
        referrers.org_id,
        referrers.referrer,
        referrers.host,
        own_hosts.host is not null as is_own,
    from referrers
    left join own_hosts using (org_id, host)
)

select * from final

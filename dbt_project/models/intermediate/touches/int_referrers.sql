with

events as (
    select * from {{ ref('stg_raw__events') }}
),

sites as (
    select * from {{ ref('stg_raw__sites') }}
),

referrers as (
    select
        org_id,
        referrer,
        {{ url_host('referrer') }} as host
    from events
    where referrer is not null
    group by org_id, referrer
),

site_domains as (
    select distinct
        org_id,
        {{ without_www(url_host('domain')) }} as domain
    from (select org_id, {{ unnest('domains') }} as domain from sites) as declared_domains
),

internal_hosts as (
    select distinct
        referrers.org_id,
        referrers.host
    from referrers
    inner join site_domains
        on referrers.org_id = site_domains.org_id
        and (
            referrers.host = site_domains.domain
            or right(referrers.host, length(site_domains.domain) + 1) = '.' || site_domains.domain
        )
),

final as (
    select
        referrers.org_id,
        referrers.referrer,
        referrers.host,
        internal_hosts.host is not null as is_internal
    from referrers
    left join internal_hosts using (org_id, host)
)

select * from final

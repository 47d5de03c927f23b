with

events as (
    select * from {{ ref('stg_raw__events') }}
),

sites as (
    select * from {{ ref('stg_raw__sites') }}
),

ignored_referrers as (
    select * from {{ ref('ignored_referrers') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
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

hosts as (
    select distinct
        org_id,
        host
    from referrers
    where host is not null
),

-- The host and the domains that contain it: secure.pay.example.com, pay.example.com, example.com.
host_domains as (
    {%- for labels in range(0, 5) %}
    select
        org_id,
        host,
        {{ without_www('host') if labels == 0 else parent_domain('host', labels) }} as domain
    from hosts

    union all
    {% endfor %}
    -- The first label shows the purpose of a host: acs.bank.example, login.example.com.
    select
        org_id,
        host,
        {{ regex_capture('host', "'^([a-z0-9-]*?)[0-9]*[.][^.]+[.]'") }} || '.' as domain
    from hosts
),

internal_hosts as (
    select distinct
        host_domains.org_id,
        host_domains.host
    from host_domains
    inner join (select org_id, {{ unnest('domains') }} as domain from sites) as site_domains
        on host_domains.org_id = site_domains.org_id
        and host_domains.domain = {{ without_www(url_host("'//' || site_domains.domain")) }}
),

ignored_hosts as (
    select
        host_domains.org_id,
        host_domains.host
    from host_domains
    inner join ignored_referrers on host_domains.domain = ignored_referrers.domain

    union

    select
        host_domains.org_id,
        host_domains.host
    from host_domains
    inner join (select org_id, {{ unnest('ignored_referrers') }} as domain from orgs) as org_referrers
        on host_domains.org_id = org_referrers.org_id
        and host_domains.domain = {{ without_www(url_host("'//' || org_referrers.domain")) }}
),

final as (
    select
        referrers.org_id,
        referrers.referrer,
        referrers.host,
        internal_hosts.host is not null as is_internal,
        ignored_hosts.host is not null as is_ignored
    from referrers
    left join internal_hosts using (org_id, host)
    left join ignored_hosts using (org_id, host)
)

select * from final

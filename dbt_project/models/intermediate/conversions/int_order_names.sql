with

sites as (
    select * from {{ ref('stg_raw__sites') }}
),

events as (
    select * from {{ ref('stg_raw__events') }}
    where order_id is not null
),

conversions as (
    select * from {{ ref('stg_raw__conversions') }}
    where order_id is not null
),

refunds as (
    select * from {{ ref('stg_raw__refunds') }}
),

postbacks as (
    select * from {{ ref('stg_raw__postbacks') }}
    where order_id is not null
),

answers as (
    select * from {{ ref('stg_raw__survey_answers') }}
    where order_id is not null
),

-- A sale, or an event of its checkout, shows that its site has the order, even if a bot sends it. The other reports only refer
-- to an order.
reports as (
    select
        org_id,
        site_id,
        order_id,
        type <> 'REFUND' and coalesce(value_micros, 0) >= 0 as has_order
    from events

    union all

    select
        org_id,
        site_id,
        order_id,
        coalesce(value_micros, 0) >= 0 as has_order
    from conversions

    union all

    select org_id, site_id, order_id, false as has_order from refunds

    union all

    select org_id, site_id, order_id, false as has_order from postbacks

    union all

    select org_id, site_id, order_id, false as has_order from answers
),

-- A site that tributary.yaml does not declare is no site: the reports of one shop can carry several such names.
names as (
    select
        reports.org_id,
        coalesce(reports.site_id, '') as site_id,
        reports.order_id,
        coalesce(sites.site_id, '') as declared_site_id,
        bool_or(reports.has_order) as has_order
    from reports
    left join sites using (org_id, site_id)
    group by reports.org_id, coalesce(reports.site_id, ''), reports.order_id, coalesce(sites.site_id, '')
),

order_sites as (
    select
        org_id,
        order_id,
        min(declared_site_id) as site_id,
        min(declared_site_id) <> max(declared_site_id) as is_ambiguous
    from names
    where has_order and declared_site_id <> ''
    group by org_id, order_id
),

-- No site has the order: all its reports mean one order. One site has it: so do the reports without a site.
final as (
    select
        names.org_id,
        names.site_id,
        names.order_id,
        names.has_order,
        case
            when order_sites.order_id is null then ':' || names.order_id
            when names.declared_site_id <> '' then names.declared_site_id || ':' || names.order_id
            when not order_sites.is_ambiguous then order_sites.site_id || ':' || names.order_id
        end as order_key
    from names
    left join order_sites using (org_id, order_id)
)

select * from final

with

spend as (
    select * from {{ ref('rollup_spend') }}
    where grain = 'CAMPAIGN'
),

credit as (
    select * from {{ ref('int_org_model_credit') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

conversion_windows as (
    select * from {{ ref('conversion_windows') }}
    where is_main_type and is_main_window
),

names as (
    {{ campaign_names(ref('campaigns')) }}
),

totals as (
    {{ daily_totals(['org_id', 'date', 'platform', 'campaign_id']) }}
),

final as (
    select
        totals.org_id,
        totals.date,
        totals.platform,
        totals.campaign_id,
        case
            when totals.campaign_id = '(unattributed)' then '(no touch before the conversion)'
            when totals.campaign_id = '(unmatched)' and totals.platform = '(organic)' then '(not an ad)'
            when totals.campaign_id = '(unmatched)' then '(no campaign matches)'
            else coalesce(names.campaign, totals.campaign_id)
        end as campaign,
{{ daily_figures() }}
    from totals
    inner join orgs using (org_id)
    inner join conversion_windows using (org_id)
    left join names using (org_id, platform, campaign_id)
)

select * from final
order by org_id, date, platform, campaign_id

with

postbacks as (
    select * from {{ ref('stg_raw__postbacks') }}
),

orgs as (
    select * from {{ ref('stg_raw__orgs') }}
),

rates as (
    select * from {{ ref('int_exchange_rates') }}
),

-- A rejection beats an approval, and an approval beats a pending status, in whatever order they arrive.
ranked as (
    select
        postbacks.org_id,
        postbacks.platform,
        postbacks.transaction_id,
        postbacks.occurred_at,
        postbacks.status,
        postbacks.account_id,
        postbacks.campaign_id,
        postbacks.campaign,
        postbacks.affiliate_id,
        postbacks.affiliate,
        postbacks.click_id,
        postbacks.order_id,
        postbacks.visitor_id,
        postbacks.site_id,
        postbacks.payout_micros,
        postbacks.value_micros,
        coalesce(postbacks.currency, orgs.currency) as currency,
        orgs.currency as reporting_currency,
        orgs.timezone,
        row_number() over (
            partition by postbacks.org_id, postbacks.platform, postbacks.transaction_id
            order by
                case postbacks.status when 'rejected' then 3 when 'approved' then 2 else 1 end,
                postbacks.occurred_at,
                postbacks.postback_id
        ) as rank
    from postbacks
    inner join orgs using (org_id)
),

-- Each value comes from the postback of the highest rank that has it.
transactions as (
    select
        org_id,
        platform,
        transaction_id,
        min(occurred_at) as occurred_at,
        count(*) as postbacks,
        {{ last_known('status', 'rank') }} as status,
        {{ last_known('account_id', 'rank') }} as account_id,
        {{ last_known('campaign_id', 'rank') }} as campaign_id,
        {{ last_known('campaign', 'rank') }} as campaign,
        {{ last_known('affiliate_id', 'rank') }} as affiliate_id,
        {{ last_known('affiliate', 'rank') }} as affiliate,
        {{ last_known('click_id', 'rank') }} as click_id,
        {{ last_known('order_id', 'rank') }} as order_id,
        {{ last_known('visitor_id', 'rank') }} as visitor_id,
        {{ last_known('site_id', 'rank') }} as site_id,
        {{ last_known('payout_micros', 'rank') }} as payout_micros,
        {{ last_known('value_micros', 'rank') }} as value_micros,
        -- An amount is in the currency of its own postback.
        coalesce(
            max_by(currency, case when payout_micros is not null then rank end),
            {{ last_known('currency', 'rank') }}
        ) as currency,
        min(reporting_currency) as reporting_currency,
        {{ reporting_date('min(occurred_at)', 'min(timezone)') }} as date
    from ranked
    group by org_id, platform, transaction_id
),

with_rate as (
    select
        transactions.*,
        {{ rate_columns('transactions.currency', 'transactions.reporting_currency') }}
    from transactions
    left join rates
        on {{ rate_of_day('transactions.currency', 'transactions.reporting_currency', 'transactions.date') }}
),

final as (
    select
        org_id,
        platform,
        transaction_id,
        status,
        occurred_at,
        date,
        site_id,
        account_id,
        campaign_id,
        campaign,
        affiliate_id,
        affiliate,
        click_id,
        order_id,
        visitor_id,
        payout_micros as original_payout_micros,
        value_micros as original_value_micros,
        currency as original_currency,
        coalesce({{ rounded_share('payout_micros', 'numerator', 'denominator') }}, 0) as payout_micros,
        coalesce({{ rounded_share('value_micros', 'numerator', 'denominator') }}, 0) as value_micros,
        postbacks
    from with_rate
)

select * from final

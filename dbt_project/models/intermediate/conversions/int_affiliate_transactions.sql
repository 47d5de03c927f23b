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

-- Whatever arrives first or last, a rejection stands, and an approval ends the waiting.
ranked as (
    select
        postbacks.* exclude (currency),
        coalesce(postbacks.currency, orgs.currency) as currency,
        orgs.currency as reporting_currency,
        orgs.timezone,
        row_number() over (
            partition by postbacks.org_id, postbacks.platform, postbacks.transaction_id
            order by
                case postbacks.status when 'rejected' then 3 when 'approved' then 2 else 1 end,
                postbacks.occurred_at,
                postbacks.postback_id
        ) as rank,
    from postbacks
    inner join orgs using (org_id)
),

-- Each fact as the postback says that counts most; what it leaves out as an earlier one says.
transactions as (
    select
        org_id,
        platform,
        transaction_id,
        min(occurred_at) as occurred_at,
        count(*) as postbacks,
        {%- for column in [
            'status', 'account_id', 'campaign_id', 'campaign', 'affiliate_id', 'affiliate', 'click_id', 'order_id',
            'visitor_id', 'site_id', 'payout_micros', 'value_micros',
        ] %}
        max_by({{ column }}, rank) as {{ column }},
        {%- endfor %}
        -- An amount is in the currency of its own postback.
        coalesce(
            max_by(currency, case when payout_micros is not null then rank end),
            max_by(currency, rank)
        ) as currency,
        min(reporting_currency) as reporting_currency,
        {{ reporting_date('min(occurred_at)', 'min(timezone)') }} as date,
    from ranked
    group by org_id, platform, transaction_id
),

with_rate as (
    select
        transactions.*,
        case
            when transactions.currency = transactions.reporting_currency then 1
            else rates.numerator
        end as numerator,
        case
            when transactions.currency = transactions.reporting_currency then 1
            else rates.denominator
        end as denominator,
    from transactions
    left join rates
        on transactions.currency = rates.base
        and transactions.reporting_currency = rates.quote
        and transactions.currency <> transactions.reporting_currency
        and transactions.date >= rates.valid_from
        and (transactions.date < rates.valid_until or rates.valid_until is null)
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
        postbacks,
    from with_rate
)

select * from final

-- Credit of ads of paid platforms in the period under the chosen model, accounting mode and customers. Ads have credit at
-- the org's window only.
ad_credit as (
    select platform, campaign_id, adset_id, ad_id, conversions, conversion_value_micros
    from rollup_credit
    inner join conversion_windows using (org_id, conversion_type, lookback_days)
    where $customers = 'all' and is_main_window
        and grain = 'AD' and accounting_mode = $mode and not starts_with(platform, '(')
        and conversion_type = $conversion_type and attribution_model = $model
        and date between $from and $to
    union all by name
    select
        touches.platform,
        coalesce(touches.campaign_id, '(unmatched)') as campaign_id,
        coalesce(touches.adset_id, '(unmatched)') as adset_id,
        coalesce(touches.ad_id, '(unmatched)') as ad_id,
        links.weight as conversions,
        links.attributed_value_micros as conversion_value_micros
    from conversions
    inner join (select * from attribution_links where attribution_model = $model) as links
        using (org_id, conversion_id)
    inner join conversion_touches as touches
        on touches.org_id = links.org_id
        and touches.conversion_id = links.conversion_id and touches.touchpoint_id = links.touchpoint_id
    where $customers <> 'all'
        and not starts_with(touches.platform, '(')
        and conversions.conversion_type = $conversion_type
        and conversions.is_first_conversion = ($customers = 'new')
        and if($mode = 'accrual', touches.touch_date, conversions.date) between $from and $to
)

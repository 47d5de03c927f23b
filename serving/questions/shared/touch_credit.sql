-- One row a touch with credit of the chosen model at the org's lookback window; a conversion without a touch has one, too.
touch_credit as (
    select
        if($mode = 'accrual', coalesce(touches.touch_date, conversions.date), conversions.date) as date,
        conversions.is_first_conversion,
        coalesce(touches.channel, '(unattributed)') as channel,
        coalesce(touches.platform, '(unattributed)') as platform,
        coalesce(touches.campaign_id, if(touches.touchpoint_id is null, '(unattributed)', '(unmatched)')) as campaign_id,
        coalesce(touches.adset_id, if(touches.touchpoint_id is null, '(unattributed)', '(unmatched)')) as adset_id,
        coalesce(touches.ad_id, if(touches.touchpoint_id is null, '(unattributed)', '(unmatched)')) as ad_id,
        coalesce(links.weight, 1) as conversions,
        coalesce(links.attributed_value_micros, conversions.value_micros) as conversion_value_micros
    from conversions
    left join (select * from attribution_links where attribution_model = $model) as links
        using (org_id, conversion_id)
    left join conversion_touches as touches
        on touches.org_id = links.org_id
        and touches.conversion_id = links.conversion_id and touches.touchpoint_id = links.touchpoint_id
    where conversions.conversion_type = $conversion_type
        and ($mode = 'accrual' or conversions.date between $from and $to)
        and ($customers = 'all' or conversions.is_first_conversion = ($customers = 'new'))
)

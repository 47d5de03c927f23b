-- One row a day, channel, platform and campaign with credit of the chosen model, window, accounting mode and customers.
credit as (
    select date, channel, platform, campaign_id, conversions, conversion_value_micros
    from channel_credit
    where $mode = 'cash' and $customers = 'all'
        and conversion_type = $conversion_type and attribution_model = $model and lookback_days = $window
    union all by name
    select
        if($mode = 'accrual', coalesce(touches.touch_date, conversions.date), conversions.date) as date,
        coalesce(touches.channel, '(unattributed)') as channel,
        coalesce(touches.platform, '(unattributed)') as platform,
        coalesce(touches.campaign_id, if(touches.touchpoint_id is null, '(unattributed)', '(unmatched)')) as campaign_id,
        coalesce(links.weight, 1) as conversions,
        coalesce(links.attributed_value_micros, conversions.value_micros) as conversion_value_micros
    from conversions
    left join (select * from attribution_links where attribution_model = $model) as links
        using (org_id, conversion_id)
    left join conversion_touches as touches
        on touches.org_id = links.org_id
        and touches.conversion_id = links.conversion_id and touches.touchpoint_id = links.touchpoint_id
    where not ($mode = 'cash' and $customers = 'all')
        and conversions.conversion_type = $conversion_type
        and ($customers = 'all' or conversions.is_first_conversion = ($customers = 'new'))
)

-- Journeys of the period at the org's lookback window: by the day of the conversion, or of the last touch without one.
period_journeys as (
    select journey_id, is_converted, channels, path_length, first_touch_at, converted_at, value_micros, sample_weight
    from journeys, orgs
    where conversion_type = $conversion_type
        and coalesce(converted_at, last_touch_at)
            >= cast($from as date)::timestamp at time zone orgs.timezone at time zone 'UTC'
        and coalesce(converted_at, last_touch_at)
            < (cast($to as date) + 1)::timestamp at time zone orgs.timezone at time zone 'UTC'
        and ($customers = 'all' or not is_converted or is_first_conversion = ($customers = 'new'))
)

-- One row a conversion of the chosen type and customers: booked figures, before attribution.
booked as (
    select conversion_id, date, value_micros, is_first_conversion
    from conversions
    where conversion_type = $conversion_type
        and ($customers = 'all' or is_first_conversion = ($customers = 'new'))
)

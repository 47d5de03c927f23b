-- One row: the moments, in UTC, at which the period begins and ends in the org's time zone.
period as (
    select
        timezone('UTC', timezone(timezone, $from::timestamp)) as starts_at,
        timezone('UTC', timezone(timezone, ($to::date + 1)::timestamp)) as ends_at
    from orgs
)

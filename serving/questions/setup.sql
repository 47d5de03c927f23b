/*
title: Set-up
description: The steps from an empty warehouse to the first attributed order.
columns:
  step: {title: Step}
  is_done: {title: Done}
  evidence: {title: Found, unit: sentence}
  remedy: {title: What to do, unit: sentence}
  page: {title: Guide}
*/
with steps as (
    select
        1 as number,
        'Site tag seen' as step,
        (select count(*) from sessions) as found,
        'sessions, the last on ' || (select max(date) from sessions)::varchar as evidence,
        'Put the script of `tributary snippet` into your pages, check it with `tributary check-tag`, then `tributary run`.' as remedy,
        'tracker.md' as page
    union all
    select
        2, 'Orders seen', (select count(*) from conversions),
        'conversions, the last on ' || (select max(date) from conversions)::varchar,
        'Send orders by the script, a webhook or a file: `tributary import --help`.',
        'import.md'
    union all
    select
        3, 'Spend connected', (select count(*) from spend_freshness where last_day is not null),
        'ad accounts with spend, the last day is ' || (select max(last_day) from spend_freshness)::varchar,
        'Log in to a platform with `tributary connect`, or put its export into inbox/spend/.',
        'connect.md'
    union all
    select
        4, 'First attributed order', (select count(distinct conversion_id) from conversion_touches),
        'conversions with a touch in their window',
        'It needs a visit with the tag before an order of the same visitor or customer. Check that orders carry the visitor id.',
        'touches.md'
)

select
    step,
    found > 0 as is_done,
    if(found > 0, format('{:,} ', found) || evidence, null) as evidence,
    if(found > 0, null, remedy) as remedy,
    page
from steps
order by number

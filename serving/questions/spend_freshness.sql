/*
title: Freshness of spend
description: The last day of spend of each ad account, and its last pull.
columns:
  platform: {title: Platform}
  account: {title: Account}
  last_day: {title: Last day with spend, unit: date}
  state: {title: State, description: "An account with spend from files only is never late: nothing tells when its next file is due."}
  covered_until: {title: Pulled until, unit: date, optional: true}
  last_tried_at: {title: Last pull (UTC), unit: time, optional: true}
  last_status: {title: Result, optional: true}
  last_failure_reason: {title: Problem and remedy, unit: sentence, optional: true}
*/
select
    platform,
    coalesce(name || ' (' || account_id || ')', account_id) as account,
    last_day,
    case
        when is_stale then 'late'
        when last_tried_at is not null then 'fresh'
        when last_day is null then 'no spend yet'
        else 'from files'
    end as state,
    covered_until,
    last_tried_at,
    last_status,
    last_failure_reason
from spend_freshness
order by is_stale desc, last_day nulls first, platform, account_id

/*
title: Stale platforms
description: Ad accounts whose last days of spend are missing.
columns:
  platform: {title: Platform}
  account_id: {title: Account}
  last_day: {title: Last day, unit: date}
  last_status: {title: Last pull}
  last_failure_reason: {title: Reason}
*/
select platform, account_id, last_day, last_status, last_failure_reason
from spend_freshness
where is_stale
order by platform, account_id

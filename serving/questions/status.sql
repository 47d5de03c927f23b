/*
title: Status
description: The published version, its rows, and the checks that hold.
columns:
  version: {title: Version, unit: count}
  published_at: {title: Published, unit: time, description: UTC.}
  loaded: {title: Loaded rows}
  counts: {title: Published rows}
  checks: {title: Checks that hold}
  stale_accounts: {title: Stale accounts, unit: count, better: lower, description: Ad accounts whose last days of spend are missing.}
  doubtful_input: {title: Doubtful input, unit: count, better: lower, description: Findings of the input checks.}
*/
select
    version, published_at, loaded, counts, checks,
    (select count(*) from spend_freshness where is_stale) as stale_accounts,
    (select count(*) from input_checks) as doubtful_input
from meta

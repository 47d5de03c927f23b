/*
title: Input checks
description: Doubtful input that a check found, the most important first.
columns:
  check_name: {title: Check, unit: label}
  finding: {title: Finding, unit: sentence}
  action: {title: What to do, unit: sentence}
  row_count: {title: Rows, unit: count}
  amount_micros: {title: Amount, unit: money}
*/
select check_name, finding, action, row_count, amount_micros
from input_checks
order by importance, check_name, finding

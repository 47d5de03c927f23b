/*
title: Promises
description: Checks of the published figures. A run that breaks one publishes nothing.
columns:
  promise: {title: Promise}
  meaning: {title: Meaning, unit: sentence}
  checks: {title: Checks, unit: count, description: "Slices compared: by conversion type, model, window, mode and grain."}
  kept: {title: Kept, unit: count}
*/
select
    upper(promise[1]) || replace(promise[2:], '_', ' ') as promise,
    string_agg(distinct regexp_replace(what, ', in (original )?(micros|trillionths)$', ''), '; ' order by
        regexp_replace(what, ', in (original )?(micros|trillionths)$', '')) as meaning,
    count(*) as checks,
    count(*) filter (where is_kept) as kept
from promises
group by promises.promise
order by promises.promise

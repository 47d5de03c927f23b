/*
title: Campaign matching by platform
description: Touches of each platform whose campaign is known, over all time.
columns:
  platform: {title: Platform}
  platform_touches: {title: Touches, unit: count}
  platform_matched_share: {title: Matched, unit: percent}
  unmatched_touches: {title: Unmatched, unit: count}
  suggestions: {title: Suggested aliases, unit: count}
*/
select
    platform,
    max(platform_touches) as platform_touches,
    max(platform_matched_share) as platform_matched_share,
    coalesce(sum(touches) filter (where not is_matched), 0)::bigint as unmatched_touches,
    count(suggested_alias) as suggestions
from campaign_matching
group by platform
order by unmatched_touches desc, platform_touches desc, platform

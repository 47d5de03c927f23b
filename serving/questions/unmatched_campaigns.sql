/*
title: Unmatched campaigns
description: >-
  Touches whose campaign no platform reported, over all time. If a suggestion is right, add its line under
  campaign_aliases in tributary.yaml and run tributary run.
columns:
  platform: {title: Platform}
  source: {title: Source}
  campaign: {title: Campaign in links, description: The name as the links spell it.}
  touches: {title: Touches, unit: count}
  last_date: {title: Last day, unit: date}
  suggested_campaign: {title: Suggestion, optional: true, description: The campaign with the most similar name.}
  similarity: {title: Similarity, unit: percent, optional: true}
  suggested_alias: {title: Line for tributary.yaml, unit: code, optional: true, description: Add it under campaign_aliases.}
  advice: {title: What to do, unit: sentence}
*/
select
    platform,
    source,
    campaign,
    touches,
    last_date,
    suggested_campaign,
    similarity,
    suggested_alias,
    case
        when suggested_alias is not null then 'If the suggestion is right, add the line under campaign_aliases.'
        when campaign is not null then 'Add an alias for this name, or import the spend of its campaign.'
        else 'Add utm_campaign, or the platform''s campaign id, to the links.'
    end as advice
from campaign_matching
where not is_matched
order by touches desc, platform, source, campaign, campaign_id, campaign_match

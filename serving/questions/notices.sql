/*
title: Notices
description: Notices about the data, each with its remedy.
columns:
  topic: {title: Topic}
  message: {title: Notice and remedy, unit: sentence}
*/
select replace(topic, '_', ' ') as topic, message
from notices
order by topic, message

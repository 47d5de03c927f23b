-- Matomo: a CSV export of the visits log.
-- source: https://matomo.org/faq/how-to/faq_24536/
-- kind: events
-- required: idVisit, visitorId
-- required: type_0 = type (actionDetails 0) | actionDetails_0_type | url (actionDetails 0)
-- refuse: It has its actions in a column each. Export the visits log as JSON.
select _row from source

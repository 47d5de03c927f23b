-- The source of an event as its sender states it. It counts where the URL has no campaign parameters of its own.
alter table raw.events add column if not exists source varchar;
alter table raw.events add column if not exists medium varchar;
alter table raw.events add column if not exists campaign varchar;
alter table raw.events add column if not exists campaign_id varchar;
alter table raw.events add column if not exists content varchar;
alter table raw.events add column if not exists term varchar;
alter table raw.events add column if not exists click_ids varchar;  -- in the form of a URL's query: gclid=a&dclid=b
alter table raw.events add column if not exists channel varchar;

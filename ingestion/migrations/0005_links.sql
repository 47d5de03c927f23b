-- Rules for referrers and for campaign links on the own pages of a site.
alter table raw.orgs add column if not exists ignored_referrers varchar[];
alter table raw.sites add column if not exists count_own_links boolean default false;

-- Rows of a spend file that do not load themselves: received_rows is the sum of loaded, duplicate, failed, limited,
-- summary and summed rows.
alter table raw.loads add column if not exists summary_rows bigint default 0;  -- totals, which repeat other rows
alter table raw.loads add column if not exists summed_rows bigint default 0;   -- added to another row by --sum

-- Ids of ad accounts, campaigns, ad sets and ads in one spelling, as ingestion/files/id_spellings.py reads them now.
create temp macro entity_of(id) as regexp_replace(
    regexp_replace(id, '^=''?"(.*)"$|^''(.*)$', '\1\2'), '^([0-9]{1,15})\.0+$', '\1'
);
create temp macro account_of(id) as regexp_replace(
    entity_of(id), '^(?:[aA][cC][tT][_ -]?|customers/|accounts/|urn:li:sponsoredAccount:)([0-9].*)$', '\1'
);
create temp macro account_digits(id) as
    if(regexp_matches(account_of(id), '^[0-9]+(?:[ ‐-―-]+[0-9]+)+$'), regexp_replace(account_of(id), '[ ‐-―-]+', '', 'g'), account_of(id));

create temp table respelled as
select rowid as _row from raw.ad_spend
where (account_id, coalesce(campaign_id, ''), coalesce(adset_id, ''), coalesce(ad_id, '')) <> (
    account_digits(account_id), coalesce(entity_of(campaign_id), ''), coalesce(entity_of(adset_id), ''),
    coalesce(entity_of(ad_id), '')
);
update raw.ad_spend set account_id = account_digits(account_id), campaign_id = entity_of(campaign_id),
    adset_id = entity_of(adset_id), ad_id = entity_of(ad_id)
where rowid in (select _row from respelled);
update raw.ad_spend_history set account_id = account_digits(account_id), campaign_id = entity_of(campaign_id),
    adset_id = entity_of(adset_id), ad_id = entity_of(ad_id);
update raw.fees set account_id = account_digits(account_id);
update raw.pulls set account_id = account_digits(account_id);
update raw.ad_entities set account_id = account_digits(account_id),
    entity_id = if(level = 'account', account_digits(entity_id), entity_id);
update raw.ad_clicks set account_id = account_digits(account_id);
update raw.postbacks set account_id = account_digits(account_id);

-- Rows that were loaded under two spellings have one key now: the last one stays.
create temp table former_rows as
select
    ad_spend.rowid as _old,
    row_number() over newest_first as recency,
    first_value(_load_id) over newest_first as _replaced_by_load_id,
    first_value(_loaded_at) over newest_first as _replaced_at
from raw.ad_spend left join respelled on ad_spend.rowid = respelled._row
window
    of_key as (partition by org_id, platform, account_id, level, campaign_id, adset_id, ad_id, date, currency),
    newest_first as (of_key order by _loaded_at desc, _content_hash)
qualify recency > 1 and bool_or(respelled._row is not null) over of_key;
insert into raw.ad_spend_history by name
select ad_spend.*, former_rows._replaced_by_load_id, former_rows._replaced_at
from raw.ad_spend inner join former_rows on ad_spend.rowid = former_rows._old;
delete from raw.ad_spend where rowid in (select _old from former_rows);

drop table respelled;
drop table former_rows;
drop macro account_digits;
drop macro account_of;
drop macro entity_of;

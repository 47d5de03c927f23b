-- Macros for the selects of the shapes. Values are text. Text that is not a number stays as it is, so that its row fails.

create or replace temp macro amount(value) as try_cast(value as decimal(32, 6));

-- 12340000 -> 12.34
create or replace temp macro from_micros(value) as
    coalesce((amount(value)::decimal(29, 3) * 0.000001::decimal(7, 6))::varchar, value);

create or replace temp macro from_cents(value) as
    coalesce((amount(value)::decimal(29, 6) * 0.01::decimal(3, 2))::varchar, value);

-- The sum of a group's values; a value that is not a number, if there is one.
create or replace temp macro summed(value) as
    coalesce(
        min(value) filter (try_cast(value as decimal(38, 9)) is null),
        sum(try_cast(value as decimal(38, 9)))::varchar
    );

create or replace temp macro total_of(one, other) as
    list_sum([try_cast(one as decimal(38, 9)), try_cast(other as decimal(38, 9))])::varchar;

-- The account's day of a time, which is UTC unless it has an offset. A day stays as it is.
create or replace temp macro local_day(moment, zone) as
    case
        when length(moment) > 10
            then coalesce(strftime(try_cast(moment as timestamptz) at time zone zone, '%Y-%m-%d'), moment)
        else moment
    end;

-- The day part of a time. An offset is that of the account, so that it does not move the day.
create or replace temp macro day_part(moment) as
    coalesce(
        strftime(
            try_strptime(
                regexp_replace(replace(moment, 'T', ' '), '(:\d\d(?:\.\d+)?) ?(?:Z|[+-]\d\d(?::?\d\d)?)$', '\1'),
                ['%Y-%m-%d', '%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M:%S.%f']
            ),
            '%Y-%m-%d'
        ),
        moment
    );

-- urn:li:sponsoredCampaign:42 -> 42
create or replace temp macro last_of(urn) as split_part(urn, ':', -1);

-- The first element of a list, in any notation.
create or replace temp macro first_of(urls) as nullif(trim(split_part(urls, ',', 1), '[]" '), '');

-- [{"key": "utm_source", "value": "x"}] -> utm_source=x
create or replace temp macro tags_of(tags) as
    case
        when json_valid(tags) and json_type(tags) = 'ARRAY'
            then array_to_string(
                [tag ->> 'key' || '=' || (tag ->> 'value') for tag in from_json(tags, '["json"]')], '&'
            )
        else tags
    end;

create or replace temp macro with_tags(url, tags) as
    case when tags is null then url else url || if(contains(url, '?'), '&', '?') || tags end;

-- The sum of one action type among Meta's actions; a type can have several parts.
create or replace temp macro figure(actions, kind) as
    list_sum([
        try_cast(action ->> 'value' as decimal(38, 9))
        for action in from_json(actions, '["json"]') if action ->> 'action_type' = kind
    ]);

-- The figure of the first purchase action that is among Meta's actions. `purchase_actions()` is a list that the caller of
-- `sync` passes, so that synced tables and pulls count the same actions.
create or replace temp macro purchases(actions) as
    list_filter([figure(actions, kind) for kind in purchase_actions()], lambda found : found is not null)[1]::varchar;

-- What the selects of the shapes may use. Values are text; a text that is no number stays, so that its row fails.

create or replace temp macro amount(value) as try_cast(value as decimal(32, 6));

-- 12340000 -> 12.34
create or replace temp macro from_micros(value) as
    coalesce((amount(value)::decimal(29, 3) * 0.000001::decimal(7, 6))::varchar, value);

create or replace temp macro from_cents(value) as
    coalesce((amount(value)::decimal(29, 6) * 0.01::decimal(3, 2))::varchar, value);

-- Many rows of one key are one: their sum.
create or replace temp macro summed(value) as
    coalesce(
        min(value) filter (try_cast(value as decimal(38, 9)) is null),
        sum(try_cast(value as decimal(38, 9)))::varchar
    );

create or replace temp macro total_of(one, other) as
    list_sum([try_cast(one as decimal(38, 9)), try_cast(other as decimal(38, 9))])::varchar;

-- The account's day of a moment, which is UTC unless it says otherwise. A day stays as it is.
create or replace temp macro local_day(moment, zone) as
    case
        when length(moment) > 10
            then coalesce(strftime(try_cast(moment as timestamptz) at time zone zone, '%Y-%m-%d'), moment)
        else moment
    end;

-- The day that a moment says: an offset is the account's own.
create or replace temp macro said_day(moment) as
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

-- The first of a list, in any notation of it.
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

-- The figure of one kind among Meta's actions; kinds may be told in parts.
create or replace temp macro figure(actions, kind) as
    list_sum([
        try_cast(action ->> 'value' as decimal(38, 9))
        for action in from_json(actions, '["json"]') if action ->> 'action_type' = kind
    ]);

-- Of the names under which Meta tells a purchase, the first that is among the actions.
create or replace temp macro purchases(actions) as
    coalesce(
        figure(actions, 'omni_purchase'),
        figure(actions, 'purchase'),
        figure(actions, 'offsite_conversion.fb_pixel_purchase')
    )::varchar;

"""Decide how the dates and times of a file are written, column by column, and read them as ISO 8601.

In: a profile of each column (profile_sql) and the options of the import.
Out: SQL of `2026-07-31T16:05:06` for `7/31/2026 4:05:06 PM`; or a ContractError.

A column has one form: that of most of its values. A value of another form stays as it is, so that its row fails, unless
it is ISO 8601, which is clear everywhere.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from ingestion.files.contracts import ContractError, Type
from ingestion.files.number_formats import DIRECTION_MARKS, NO_VALUE, SPACES
from ingestion.sql import literal

DATE_TYPES: tuple[Type, ...] = ("date", "instant")
ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(UTC|GMT|Z|z|[+-]\d{2}(:?\d{2})?))?)?$"

_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?([ap])\.? ?m\.?)?"
# The abbreviations of RFC 2822, in hours from UTC. No other abbreviation has one meaning.
_US_ZONES = {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
_ZONE = rf"(?: ?(z|(?:utc|gmt)?(?:[+-]\d{{1,2}}(?::?\d{{2}})?)?|{'|'.join(_US_ZONES)})(?: \([^()]*\))?)?"
_TAIL = f"(?:(?:,? ?t ?|,? (?:at |um |a las |às |as |à |a )?){_CLOCK}{_ZONE})?"
_TAIL_NAMES = ("hour", "minute", "second", "fraction", "half", "zone")
_YEAR_FIRST = rf"^(\d{{4}}) ?[-/.] ?(\d{{1,2}}) ?[-/.] ?(\d{{1,2}})\.?{_TAIL}$"
_NUMERIC = rf"^(\d{{1,2}})( ?[-/.]) ?(\d{{1,2}}) ?[-/.] ?(\d{{4}}|\d{{2}})\.?{_TAIL}$"
_NAMED = rf"^(\d{{1,2}}) (\p{{L}}+) (\d{{4}}|\d{{2}}){_TAIL}$"
# Spreadsheets count days from 1899-12-30.
_SERIAL = r"^(?:[2-7]\d{4}|80000)(?:[.,]\d+)?$"
_SERIAL_OF_1970 = 25569
# Digits of a time since 1970 in seconds, milli-, micro- and nanoseconds, and SQL of its microseconds.
_EPOCHS = {
    "seconds": (r"^\d{9,10}(?:\.\d+)?$", "(try_cast({t} as decimal(20, 6)) * 1000000)::bigint"),
    "milliseconds": (r"^\d{12,13}$", "try_cast({t} as bigint) * 1000"),
    "microseconds": (r"^\d{15,16}$", "try_cast({t} as bigint)"),
    "nanoseconds": (r"^\d{18,19}$", "try_cast({t} as bigint) // 1000"),
}
# Month names of these languages in CLDR. Croatian is absent, because its listopad is October and the Polish November.
_LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "nb", "nn", "fi", "tr", "cs", "sk", "hu", "ro", "bg",
    "ru", "uk", "el", "sl", "lt", "lv", "et", "id", "ms",
)  # fmt: skip
_MORE_MONTHS = {"mrz": 3, "sept": 9}  # of spreadsheets


class Profile(NamedTuple):
    """How many values of a column have which form."""

    values: int  # without those that mean no value
    year_first: int
    named: int
    numeric: int  # two numbers and a year
    serial: int
    seconds: int
    milliseconds: int
    microseconds: int
    nanoseconds: int
    day_first: int  # of the numeric ones: the first number is no month, or the separator is a point
    month_first: int
    either: int  # both readings are different days
    # Of the numeric ones with a year of two digits: 26/07/15 can begin with the year, too.
    short_years: int
    last_year: int | None
    largest_first: int | None


class DateReading(NamedTuple):
    """How the dates of a column are read."""

    form: str  # a field of Profile
    is_day_first: bool = False


def profile_sql(text: str, relation: str) -> str:
    """Return the query of the Profile of a column. text: SQL over the relation."""
    plain = _plain("t")
    first, last = "try_cast(p.one as integer)", "try_cast(p.last as integer)"
    second = "try_cast(p.two as integer)"
    is_short = "length(p.last) = 2 and not contains(p.mark, '.')"
    counts = {
        "values": "not regexp_matches(t, " + literal(NO_VALUE) + ")",
        "year_first": f"regexp_matches({_hyphenated('n')}, {literal('(?i)' + _YEAR_FIRST)})",
        "named": f"{_months()}[{_part(_named('n'), _NAMED, 2)}] is not null",
        "numeric": "p.last <> ''",
        "serial": f"regexp_matches(t, {literal(_SERIAL)}) and try_cast(replace(t, ',', '.') as double) <= 80000",
        **{unit: f"regexp_matches(t, {literal(pattern)})" for unit, (pattern, _) in _EPOCHS.items()},
        "day_first": f"contains(p.mark, '.') or {first} between 13 and 31 and {second} <= 12",
        "month_first": f"not contains(p.mark, '.') and {second} between 13 and 31 and {first} <= 12",
        "either": f"not contains(p.mark, '.') and {first} <= 12 and {second} <= 12 and {first} <> {second}",
        "short_years": is_short,
    }
    shape = f"regexp_extract(n, {literal('(?i)' + _NUMERIC)}, ['one', 'mark', 'two', 'last'])"
    return f"""
        select {", ".join(f"count(*) filter ({condition})" for condition in counts.values())},
            max({last}) filter ({is_short}), max({first}) filter ({is_short})
        from (select t, n, {shape} as p from (select t, {plain} as n from (select {text} as t from {relation})))
        where t is not null
    """


def decide_dates(
    profiles: Mapping[str, Profile], names: Mapping[str, str], *, option: bool | None, this_year: int
) -> dict[str, DateReading]:
    """Return how each column is read. ContractError, without the file's label, if a column does not decide.

    names: what messages call the columns. option: whether the user states that the day comes first.
    """
    forms = {name: form for name, profile in profiles.items() if (form := _form(profile))}
    numeric = {name: profiles[name] for name, form in forms.items() if form == "numeric"}
    contradictory = [names[name] for name, each in numeric.items() if each.day_first and each.month_first]
    if contradictory:
        raise ContractError(
            f"{_listed(contradictory)} contradictory: some dates begin with the day, as 31/7/2026 does, and others with"
            " the month, as 7/31/2026 does. Write all dates of a column in one order."
        )
    proven = {
        name: bool(each.day_first)
        for name, each in numeric.items()
        if (each.day_first or each.month_first) and _has_certain_years(each, this_year)
    }
    orders = {option} if option is not None else set(proven.values())
    ambiguous = []
    readings = {name: DateReading(form) for name, form in forms.items()}
    for name, each in numeric.items():
        order = option if option is not None else proven.get(name)
        if order is None and len(orders) == 1 and _has_certain_years(each, this_year):
            order = next(iter(orders))  # a file is written in one locale
        if order is None and (each.either or each.short_years):
            ambiguous.append(names[name])
        readings[name] = DateReading("numeric", is_day_first=bool(order))
    if ambiguous:
        raise ContractError(
            f"{_listed(ambiguous)} ambiguous: a date such as 7/8/2026 is 7 August or 8 July, and no other value decides"
            " it. State the order with --dayfirst or --no-dayfirst. The year comes last."
        )
    return readings


def _form(profile: Profile) -> str | None:
    """Return the form of most values. Numbers of a spreadsheet's days are dates only if all values are."""
    counts = {name: getattr(profile, name) for name in ("year_first", "named", "numeric", *_EPOCHS)}
    form = max(counts, key=lambda name: counts[name])  # the first of several
    if profile.values and profile.serial == profile.values:
        return "serial"
    return form if counts[form] else None


def _has_certain_years(profile: Profile, this_year: int) -> bool:
    """Return whether no year of two digits can be at the beginning: 31/07/26 is clear, 26/07/15 alone is not."""
    if not profile.short_years or profile.month_first:
        return True
    return (profile.last_year or 0) <= this_year % 100 < (profile.largest_first or 0)


def reading_sql(reading: DateReading | None) -> str:
    """Return SQL of the ISO text of a text `{t}`: the text itself if it has another form, null if it means no value."""
    read = _reading(reading) if reading else "{t}"
    return f"""case
        when regexp_matches({{t}}, '{ISO}') then {{t}}
        when regexp_matches({{t}}, {literal(NO_VALUE)}) then null
        else {read} end"""


def _reading(reading: DateReading) -> str:
    plain = _plain("{t}")
    match reading.form:
        case "year_first":
            return _parsed(_hyphenated(plain), _YEAR_FIRST, ("year", "month", "day"), "p.month")
        case "named":
            month = f"{_months()}[p.month]::varchar"
            return _parsed(_named(plain), _NAMED, ("day", "month", "year"), month)
        case "numeric":
            parts = ("one", "mark", "two", "year")
            day_first = "true" if reading.is_day_first else "contains(p.mark, '.')"
            month, day = (f"if({day_first}, p.{a}, p.{b})" for a, b in (("two", "one"), ("one", "two")))
            return _parsed(plain, _NUMERIC, parts, month, day)
        case "serial":
            # To the millisecond: the digits of a spreadsheet end there.
            days = f"try_cast(replace({{t}}, ',', '.') as decimal(18, 10)) - {_SERIAL_OF_1970}"
            moment = f"make_timestamp((round(({days}) * 86400000) * 1000)::bigint)"
            return _unless_other(_SERIAL, f"regexp_replace(replace({moment}::varchar, ' ', 'T'), 'T00:00:00$', '')")
    pattern, micros = _EPOCHS[reading.form]
    return _unless_other(pattern, f"replace(make_timestamp({micros})::varchar, ' ', 'T') || 'Z'")


def _unless_other(pattern: str, read: str) -> str:
    return f"if(regexp_matches({{t}}, {literal(pattern)}), {read}, {{t}})"


def _parsed(text: str, pattern: str, parts: tuple[str, ...], month: str, day: str = "p.day") -> str:
    """Return SQL of the ISO text of a text with the parts of a date and of a time; `{t}` if they are none."""
    zones = ", ".join(f"'{name}': '{hours:+03d}:00'" for name, hours in _US_ZONES.items())
    year = "if(length(p.year) = 2, if(p.year < '70', '20', '19') || p.year, p.year)"
    date = f"{year} || '-' || lpad({month}, 2, '0') || '-' || lpad({day}, 2, '0')"
    hour = "(p.hour::integer % if(p.half = '', 24, 12) + if(p.half = 'p', 12, 0))::varchar"
    offset = r"regexp_replace(regexp_replace(p.zone, '^(?:utc|gmt)', ''), '^([+-])(\d)(?:$|:|(\d\d)$)', '\10\2:\3')"
    offset = rf"regexp_replace({offset}, '^([+-]\d\d):?(\d\d)?$', '\1:\2')"
    zone = (
        f"case when p.zone = '' then '' when p.zone in ('z', 'utc', 'gmt') then 'Z'"
        f" else coalesce(map {{{zones}}}[p.zone], {offset} || if(right({offset}, 1) = ':', '00', '')) end"
    )
    clock = (
        f"'T' || lpad({hour}, 2, '0') || ':' || p.minute || ':' || if(p.second = '', '00', p.second)"
        f" || if(p.fraction = '', '', '.' || left(p.fraction, 6)) || {zone}"
    )
    is_clock = "p.hour::integer between if(p.half = '', 0, 1) and if(p.half = '', 23, 12)"
    names = ", ".join(map(literal, (*parts, *_TAIL_NAMES)))
    return f"""list_transform([regexp_extract(lower({text}), {literal(pattern)}, [{names}])], lambda p: case
            when p.year = '' or try_cast({date} as date) is null then {{t}}
            when p.hour = '' then {date}
            when {is_clock} then {date} || {clock}
            else {{t}} end)[1]"""


def _plain(text: str) -> str:
    """Return SQL of a text with single plain spaces."""
    spaces = f"translate({text}, {literal(SPACES + DIRECTION_MARKS)}, {literal(' ' * len(SPACES))})"
    return f"trim(regexp_replace({spaces}, '\\s+', ' ', 'g'))"


def _hyphenated(text: str) -> str:
    """Return SQL of 2026-7-1 for 20260701, 2026年7月1日 and the like."""
    digits = f"regexp_replace({text}, '^((?:19|20)\\d\\d)(\\d\\d)(\\d\\d)(\\D.*)?$', '\\1-\\2-\\3\\4')"
    return f"regexp_replace({digits}, '^(\\d{{4}}) ?[年년] ?(\\d{{1,2}}) ?[月월] ?(\\d{{1,2}}) ?[日일]', '\\1-\\2-\\3')"


def _named(text: str) -> str:
    """Return SQL of a date with a month's name as `1 july 2026`, in lower case and without accents."""
    word, separator = r"(\p{L}{3,})", r"[.,]*[-/ ,]+"
    written = f"strip_accents(lower({text}))"
    for pattern, replacement in (
        (r"^(?:" + _weekdays() + r")[.,]* (\p{L}|\d{1,2}(?:st|nd|rd|th|er)?[^\p{L}\d]{1,3}\p{L})", r"\1"),
        # July 1, 2026 and 2026 July 1
        (rf"^{word}{separator}(\d{{1,2}})(?:st|nd|rd|th)?{separator}(\d{{4}})\b", r"\2 \1 \3"),
        (rf"^(\d{{4}}){separator}{word}{separator}(\d{{1,2}})\.?", r"\3 \2 \1"),
        # C and JavaScript, after their weekday: Jul 1 09:30:00 +0000 2026
        (rf"^{word} (\d{{1,2}}) (\d{{1,2}}:\d{{2}}:\d{{2}})( .*)? (\d{{4}})$", r"\2 \1 \5 \3\4"),
        (
            rf"^(\d{{1,2}})(?:st|nd|rd|th|er|o|º)?(?:{separator}|\.)?(?:of |de |di )?{word}{separator}(?:de[l]? )?"
            r"(\d{4}|\d{2})\b",
            r"\1 \2 \3",
        ),
    ):
        written = f"regexp_replace({written}, {literal(pattern)}, {literal(replacement)})"
    return written


def _part(text: str, pattern: str, group: int) -> str:
    return f"regexp_extract({text}, {literal(pattern)}, {group})"


@cache
def _months() -> str:
    """Return SQL of a map: the name of a month in lower case without accents -> its number."""
    from babel import Locale

    numbers: dict[str, set[int]] = {name: {number} for name, number in _MORE_MONTHS.items()}
    for language in _LANGUAGES:
        for widths in Locale.parse(language).months.values():
            for width in ("wide", "abbreviated"):
                for number, name in widths[width].items():
                    numbers.setdefault(_folded(name), set()).add(number)
    return "map {" + ", ".join(f"'{n}': {min(m)}" for n, m in numbers.items() if n.isalpha() and len(m) == 1) + "}"


@cache
def _weekdays() -> str:
    from babel import Locale

    names = {
        _folded(name)
        for language in _LANGUAGES
        for widths in Locale.parse(language).days.values()
        for width in ("wide", "abbreviated")
        for name in widths[width].values()
    }
    return "|".join(sorted(name for name in names if name.replace("-", "").isalpha()))


def _folded(name: str) -> str:
    letters = unicodedata.normalize("NFD", name.lower().strip(". "))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _listed(names: list[str]) -> str:
    return f"the column {names[0]} is" if len(names) == 1 else f"the columns {', '.join(names)} are"

"""Decide how the numbers of a file are written, column by column, and read them as plain decimals.

In: how many values of each column fit a decimal point, a decimal comma or both, and the options of the import.
Out: the Reading of each column, which gives SQL of `1234.50` for `1.234,50 €`; or a ContractError.

A value never decides alone: 2.500 is 2500 in a column with 1.234,50 and 2.5 in a column with 12.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal, NamedTuple

from ingestion.files.contracts import ContractError, Type
from ingestion.files.id_spellings import DASHES
from ingestion.sql import literal

Mark = Literal["point", "comma"]

NUMBER_TYPES: tuple[Type, ...] = ("money", "count", "number", "rate")
# Plain decimals that fit no decimal comma. 1.234 is none of them.
PLAIN_NUMBER = (
    r"^[+-]?(?:\d+|\d*\.(?:\d{1,2}|\d{4,})|\d+\.|0\d*\.\d{3}|\.\d{3}|\d{4,}\.\d{3}"
    r"|(?:\d+\.?\d*|\.\d+)[eE][+-]?\d{1,2})$"
)
NO_VALUE = f"(?i)^(?:[{DASHES}]+|n ?/ ?a|n\\. ?a\\.?|k\\. ?a\\.?|null|none)$"
SPACES = "\u00a0\u2007\u2008\u2009\u202f"  # typographic spaces; U+202F groups thousands in French
DIRECTION_MARKS = "\u200e\u200f\u061c"  # right-to-left languages write them around signs
_MINUSES, _APOSTROPHES = "\u2010\u2011\u2012\u2013\u2014\u2212", "\u2019\u02bc\u2032\u00b4`"
_EXPONENT = r"(?:[eE][+-]?\d{1,2})"
_INDIAN = r"|[1-9]\d?(?:,\d{2})+,\d{3}"  # 1,23,456
_GROUPS = r"[1-9]\d{0,2}(?:(?:G\d{3})+|(?:'\d{3})+|(?: \d{3})+)"
_FITS: dict[Mark, str] = {
    "point": rf"^[+-]?(?:(?:{_GROUPS.replace('G', ',')}{_INDIAN})(?:\.\d*)?|(?:\d+(?:\.\d*)?|\.\d+){_EXPONENT}?)$",
    "comma": rf"^[+-]?(?:{_GROUPS.replace('G', '[.]')}(?:,\d*)?|(?:\d+(?:,\d*)?|,\d+){_EXPONENT}?)$",
}
_GROUP_MARKS: dict[Mark, str] = {"point": ",' ", "comma": ".' "}
# Letters before $, names of currencies, and codes of ISO 4217. Other letters change the amount: 12k, 12 Mio.
_DOLLARS = "US|CA?|AU?|NZ|HK|NT|SG?|MX|Mex|R|RD|ARS?|CLP?|COP?|CN|JP"
_NAMES = (
    "kr|dkr|nkr|skr|kč|zł|ft|lei|rs|rp|rm|tl|fr|sfr|f ?cfa|kn|din|s/|r|円|元|圆|원"
    "|лв|руб|р|грн|дин"  # noqa: RUF001
)
# `<0.01` is an amount that rounds to 0 at its last digit; a count below 1 is 0. `<10` is no number.
_LARGEST_BOUND = {"count": "1"}
_BOUND = "0.01"


class Evidence(NamedTuple):
    """How many values of a column fit which decimal mark."""

    point: int = 0  # fit a decimal point only
    comma: int = 0
    both: int = 0  # such as 2.500 and 1,234
    # Of those that fit both, the ones that are no whole number by one of the marks: a count such as 1.234 has a
    # decimal comma, one such as 1,234 a decimal point, and 3.000 is 3 or 3000.
    whole_by_point: int = 0
    whole_by_comma: int = 0


class Reading(NamedTuple):
    """How the numbers of a column are read."""

    mark: Mark
    is_certain: bool  # decided by the column itself or by an option, so that a count of 3.000 can be 3


def evidence_sql(text: str, *, is_plain: bool) -> str:
    """Return SQL of the Evidence of a column, as a list. is_plain: all its values match PLAIN_NUMBER."""
    if is_plain:
        return f"[count(*) filter (contains({text}, '.')), 0, 0, 0, 0]"
    core = f"trim({_undecorated(text)}, '<% ')"
    point, comma = (f"regexp_matches({core}, {literal(pattern)})" for pattern in _FITS.values())
    whole = rf"regexp_matches({core}, '[{{}}]\d\d[1-9]$|[{{}}]\d[1-9]\d$|[{{}}][1-9]\d\d$')"
    conditions = [
        f"{point} and not {comma}",
        f"{comma} and not {point}",
        f"{point} and {comma} and regexp_matches({core}, '[.,]')",
        f"{point} and {comma} and {whole.replace('{}', ',')}",
        f"{point} and {comma} and {whole.replace('{}', '.')}",
    ]
    return f"[{', '.join(f'count(*) filter ({condition})' for condition in conditions)}]"


def decide_numbers(
    types: Mapping[str, Type],
    evidence: Mapping[str, Evidence],
    names: Mapping[str, str],
    *,
    option: Mark | None,
    default: Mark | None,
    fallback: Mark | None,
) -> dict[str, Reading]:
    """Return how each column is read. ContractError, without the file's label, if a column does not decide.

    types, evidence, names: by column of the contract; names has what messages call it.
    option: the mark that the user states. default: the mark of the file's format. fallback: the mark of columns that
    nothing decides.
    """
    _check_contradictions(evidence, names, option)
    proven = {name: mark for name, each in evidence.items() if (mark := _mark(each.point, each.comma))}
    marks = {*proven.values(), *([default] if default else [])}
    counted = {
        name: mark
        for name, each in evidence.items()
        if types[name] == "count" and (mark := _mark(each.whole_by_point, each.whole_by_comma))
    }
    marks = marks or set(counted.values())
    readings: dict[str, Reading] = {}
    ambiguous = []
    for name, each in evidence.items():
        certain = option or proven.get(name) or (default if marks == {default} else None)
        # Another column decides only if no column contradicts it: a file is written in one locale.
        mark = certain or (next(iter(marks)) if len(marks) == 1 else None) or counted.get(name) or fallback
        if not mark and each.both:
            ambiguous.append(names[name])
        readings[name] = Reading(mark or "point", is_certain=bool(certain))
    if ambiguous:
        raise ContractError(
            f"{_listed(ambiguous)} ambiguous: a value such as 2.500 is 2500 or 2.5, and no other value decides it."
            " State the decimal mark of the file with --decimal point or --decimal comma."
        )
    return readings


def _check_contradictions(evidence: Mapping[str, Evidence], names: Mapping[str, str], option: Mark | None) -> None:
    contradictory = [names[name] for name, each in evidence.items() if each.point and each.comma]
    if contradictory:
        raise ContractError(
            f"{_listed(contradictory)} contradictory: some values have a decimal point, as 1,234.5 has, and others a"
            " decimal comma, as 1.234,5 has. Write all values of a column with one mark."
        )
    # A row that failed alone could be replayed without the option, as another number.
    other = {"point": "comma", "comma": "point"}[option] if option else ""
    wrong = [names[name] for name, each in evidence.items() if other and getattr(each, other)]
    if wrong:
        raise ContractError(
            f"--decimal {option}: {_listed(wrong)} contradictory: it has values with a decimal {other}. Correct them,"
            " or leave the option out."
        )


def reading_sql(type_: Type, reading: Reading) -> str:
    """Return SQL of the plain decimal of a text `{t}`: the text itself if it is none, null if it means no value."""
    mark = "." if reading.mark == "point" else ","
    core = "ltrim(written, '< ')"
    exponent = ""
    if type_ in ("number", "rate"):  # no amount and no count is a percentage
        core, exponent = f"rtrim({core}, '% ')", " || if(right(written, 1) = '%', 'e-2', '')"
    number = f"replace(translate({core}, {literal(_GROUP_MARKS[reading.mark])}, ''), '{mark}', '.')"
    plain = number
    if type_ == "count":
        zeros = r"(\.0*)?" if reading.is_certain else ""
        plain = f"if(regexp_matches({number}, '^\\d+{zeros}$'), split_part({number}, '.', 1), {{t}})"
    largest = _LARGEST_BOUND.get(type_, _BOUND)
    is_small = f"try_cast({number} as decimal(38, 9)) <= {largest} and not contains(written, '%')"
    # Most values need no reading. A lambda computes the text without its decoration once.
    usual = r"^-?\d+(?:\.\d*)?$" if mark == "." and type_ != "count" else r"^\d+$"
    return f"""case
        when regexp_matches({{t}}, '{usual}') then {{t}}
        when regexp_matches({{t}}, {literal(NO_VALUE)}) then null
        else list_transform([{_undecorated("{t}")}], lambda written: case
            when not regexp_matches({core}, {literal(_FITS[reading.mark])}) then {{t}}
            when left(written, 1) = '<' then if({is_small}, '0', {{t}})
            else {plain}{exponent} end)[1] end"""


def _undecorated(text: str) -> str:
    """Return SQL of a number without currency: its digits and marks, with a minus, `<` or `%` where they belong."""
    sign = _currency_sign()
    written = (
        f"trim(translate({text}, {literal(SPACES + _MINUSES + _APOSTROPHES + DIRECTION_MARKS)},"
        f" {literal(' ' * len(SPACES) + '-' * len(_MINUSES) + chr(39) * len(_APOSTROPHES))}))"
    )
    for pattern, replacement in (
        (f"^(?:{sign} ?)?\\(([^()-]+)\\)(?: ?{sign})?$", r"-\1"),  # accounting
        (f"^([-+<]?) ?{sign} ?(.*)$", r"\1\2"),
        (f"^(.*[0-9.,%]) ?{sign}(-?)$", r"\1\2"),
        (r"^([^-]+)-$", r"-\1"),
        (r"^([-+]) (.*)$", r"\1\2"),
    ):
        written = f"regexp_replace({written}, {literal(pattern)}, {literal(replacement)})"
    return written


@cache
def _currency_sign() -> str:
    from babel.numbers import list_currencies

    words = "|".join([*sorted(list_currencies()), _NAMES])
    return f"(?:(?:{_DOLLARS})?\\p{{Sc}}|(?i:(?:{words})\\.?))"


def _mark(point: int, comma: int) -> Mark | None:
    return None if bool(point) == bool(comma) else "point" if point else "comma"


def _listed(names: list[str]) -> str:
    return f"the column {names[0]} is" if len(names) == 1 else f"the columns {', '.join(names)} are"

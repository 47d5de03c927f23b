"""One spelling for each id of an ad account, a campaign, an ad set or an ad.

In: ids as people, platforms and spreadsheets write them. Out: the same normalisation for Python and for SQL, and the
test for ids that a spreadsheet rounded.
"""

from __future__ import annotations

import re

from ingestion.sql import literal

DASHES = "\u2010-\u2015\u2212-"  # in brackets: every character that people use as a dash

_WHOLE = (r"^([0-9]{1,15})\.0+$", r"\1")  # a whole number that became a decimal
# Patterns that Python and DuckDB read alike, with their replacements.
_ENTITY = (
    (r"^='?\"(.*)\"$|^'(.*)$", r"\1\2"),  # marks by which a spreadsheet keeps an id as text
    _WHOLE,
    (f"^[{DASHES}]+$", ""),  # the mark of a report for no id
)
_ACCOUNT = (
    *_ENTITY,
    (r"^(?:[aA][cC][tT][_ -]?|customers/|accounts/|urn:li:sponsoredAccount:)([0-9].*)$", r"\1"),
)
_DIGIT_GROUPS = f"^[0-9]+(?:[ {DASHES}]+[0-9]+)+$"
_SEPARATORS = f"[ {DASHES}]+"

# A spreadsheet writes an id of more than 15 digits as a power of ten; as a decimal it has lost its last digits.
_ROUNDED = r"^-?[0-9]+([.,][0-9]+)?[eE][+][0-9]+$|^-?[0-9]+[.,][0-9]+[eE][0-9]+$|^[0-9]{16,}[.,]0+$"


def normalized_account_id(account_id: str) -> str:
    """Return an ad account's id in one spelling: act_99 is 99, 123-456-7890 is 1234567890."""
    text = account_id.strip()
    for pattern, replacement in _ACCOUNT:
        text = re.sub(pattern, replacement, text)
    return re.sub(_SEPARATORS, "", text) if re.match(_DIGIT_GROUPS, text) else text


def account_sql(text: str) -> str:
    """Return SQL of the result of `normalized_account_id`."""
    spelled = _replaced(text, _ACCOUNT)
    without_separators = f"regexp_replace({spelled}, {literal(_SEPARATORS)}, '', 'g')"
    folded = f"if(regexp_matches({spelled}, {literal(_DIGIT_GROUPS)}), {without_separators}, {spelled})"
    return _unless_plain(text, "^[0-9]+$", folded)


def entity_sql(text: str) -> str:
    """Return SQL of the id of a campaign, an ad set or an ad without the marks of a spreadsheet: 42.0 is 42."""
    return _unless_plain(text, "^[0-9A-Za-z_]+$", _replaced(text, _ENTITY))


def id_sql(text: str) -> str:
    """Return SQL of another id, such as that of an order: 7010.0 is 7010."""
    # Nearly all ids have no decimals, and this test is cheap.
    return f"if(contains({text}, '.'), {_replaced(text, (_WHOLE,))}, {text})"


def is_rounded_sql(text: str) -> str:
    """Return SQL: did a spreadsheet or a program round this id, such as 1.20214E+17?"""
    return f"regexp_matches({text}, {literal(_ROUNDED)})"


def _unless_plain(text: str, plain: str, folded: str) -> str:
    """Return SQL that folds only the texts that need it: nearly all ids are plain, and one test is cheap."""
    return f"case when regexp_matches({text}, {literal(plain)}) then {text} else nullif({folded}, '') end"


def _replaced(text: str, spellings: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in spellings:
        text = f"regexp_replace({text}, {literal(pattern)}, {literal(replacement)})"
    return text

"""Redact personal data in files, in the SQL statement that reads them: no table ever holds the original.

In: a connection, then the columns of an input file. Out: SQL functions, and the SQL of a column without personal data.

SQL decides by the patterns which texts hold an address; redact.py, the collector's code, redacts those few. So both
doors give the same result, and a file without addresses is read at DuckDB's speed.

| function | result |
| --- | --- |
| redact_text(t) | the text without e-mail and IP addresses; JSON also without members named like them or phones |
| redact_user_agent(t) | the user agent without e-mail and IP addresses, its versions included |
| redact_id(t) | the id; its hash where it is an e-mail address; NULL where it holds an IP address |
| hash_email(t), hash_phone(t) | the SHA-256 of the normalised value; NULL where there is none |
"""

from __future__ import annotations

from contextlib import suppress

import duckdb
from duckdb.sqltypes import VARCHAR

from ingestion.privacy.patterns import (
    EMAIL,
    IPV4,
    IPV6,
    NO_USER_AGENT,
    PERSONAL_MEMBER,
    USER_AGENT_IPV4,
    WHITESPACE,
    Pattern,
    kind_of,
)
from ingestion.privacy.redact import redact_id, redact_text
from ingestion.sql import literal


def create_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the functions on a connection, for as long as it is open."""
    with suppress(duckdb.CatalogException):  # another connection of this process to the same database has created it
        connection.create_function("redact_in_python", redact_text, [VARCHAR], VARCHAR)
        connection.create_function("redact_id_in_python", redact_id, [VARCHAR], VARCHAR)
    connection.execute(_MACROS)


def redacted(column: str, expression: str, *, is_id: bool, in_python: bool = False) -> str:
    """Return SQL of the text `expression` of `column` without personal data: NULL where the column holds IP addresses.

    E-mail and phone columns become hashes. User agents keep their versions, which look like IP addresses.
    in_python: Python decides about more texts. DuckDB plans such a statement at once, and runs it more slowly. Use it
    for few rows, or for hundreds of columns: the time to plan the other one grows with the square of its expressions.
    """
    match kind_of(column):
        case "ip":
            return "null::varchar"
        case "email":
            return f"hash_email({expression})"
        case "phone":
            return f"hash_phone({expression})"
        case "user_agent":
            return f"redact_user_agent({expression})"
    if in_python:
        redact = "redact_id_in_python" if is_id else "redact_in_python"
        is_suspect = f"regexp_matches({expression}, {literal(_SUSPECT)})"
        return f"case when {is_suspect} then {redact}({expression}) else {expression} end"
    return f"redact_id({expression})" if is_id else f"redact_text({expression})"


def _has_mark(pattern: Pattern) -> str:
    """Return SQL that is true where `t` has one of the pattern's marks."""
    found: dict[bool, list[str]] = {False: [], True: []}
    for text, times in pattern.marks:
        like = literal("%" + times * f"{text}%")
        found[text[0] == "%"].append(f"contains(t, {literal(text)})" if times == 1 else f"t like {like}")
    escaped = [f"(contains(t, '%') and ({' or '.join(found[True])}))"]
    return f"({' or '.join(found[False] + escaped)})"


def _matches(pattern: Pattern) -> str:
    return f"({_has_mark(pattern)} and regexp_matches(t, {literal(pattern.expression)}))"


def _user_agent_sql(text: str) -> str:
    for pattern in (EMAIL, USER_AGENT_IPV4, USER_AGENT_IPV4, IPV6):
        text = f"regexp_replace({text}, {literal(pattern.expression)}, {literal(pattern.replacement)}, 'g')"
    return text


_SPACE = " || ".join(f"chr({ord(character)})" for character in WHITESPACE)
_NORMALISED = f"lower(trim(t, {_SPACE}))"
_IS_JSON_SUSPECT = rf"(contains(t, '\') or regexp_matches(t, {literal(PERSONAL_MEMBER)}))"
# Most texts have none of these, and are read no further.
_SUSPECT = r"[@%{\[\x00]|::|\.[^.]*\.[^.]*\.|(?::[^:]*){7}"
_IS_SUSPECT = """(contains(t, '@') or contains(t, '%') or contains(t, '::') or contains(t, chr(0))
    or t like '%.%.%.%' or t like '%:%:%:%:%:%:%:%')"""
_MACROS = rf"""
create or replace temp macro redact_text(t) as
case when {_IS_SUSPECT} or contains(t, '{{') or contains(t, '[')
    then case when {_has_mark(EMAIL)} or contains(t, chr(0)) or {_matches(IPV4)} or {_matches(IPV6)}
            or ((contains(t, '{{') or contains(t, '[')) and {_IS_JSON_SUSPECT})
        then redact_in_python(t) else t end
    else t end;

create or replace temp macro _redact_user_agent(t) as
case when regexp_matches(t, {literal(NO_USER_AGENT)}) then redact_in_python(t)
    when {_has_mark(EMAIL)} or {_has_mark(IPV4)} or {_has_mark(IPV6)} then {_user_agent_sql("t")} else t end;

create or replace temp macro redact_user_agent(t) as
case when contains(t, chr(0)) then _redact_user_agent(replace(t, chr(0), '')) else _redact_user_agent(t) end;

create or replace temp macro _redact_id(t) as
case when {_matches(EMAIL)} then sha256({_NORMALISED})
    when regexp_matches(t, '^[\s\x0b]*[{{\[]') then nullif(redact_id_in_python(t), '')
    when {_matches(IPV4)} or {_matches(IPV6)} then null else t end;

create or replace temp macro redact_id(t) as
case when not ({_IS_SUSPECT} or contains(t, '{{') or contains(t, '[')) then t
    when contains(t, chr(0)) then _redact_id(replace(t, chr(0), '')) else _redact_id(t) end;

create or replace temp macro hash_email(t) as sha256(nullif({_NORMALISED}, ''));

create or replace temp macro hash_phone(t) as
sha256(if(starts_with(trim(t, {_SPACE}), '+'), '+', '') || nullif(regexp_replace(t, '[^0-9]', '', 'g'), ''))
"""

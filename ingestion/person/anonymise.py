"""Replace everything in rows that identifies a person, so that every count and every sum stays.

In: relations, and a Person in temporary tables (ownership.py). Out: the temporary table `replacements`, which
`collect_replacements` fills with the values of the person's rows and their pseudonyms; SQL of each column's new value.
Equal values get one pseudonym, so that sessions, orders and clicks stay the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from ingestion.person.anonymise_url import anonymise_query, anonymise_url
from ingestion.person.ownership import Person, Relation, before_erasure_sql, in_org_sql, owns_row_sql
from ingestion.person.pseudonyms import coarse_browser, common_answer, is_distinctive, pseudonym, word_pattern
from ingestion.sql import Connection, literal, quoted, scalar

# Column -> kind of its values. Values are replaced by kind; columns of numbers and times stay.
KINDS = {
    "anon_id": "visitor", "visitor_id": "visitor", "user_id": "customer", "customer_id": "customer",
    "email_hash": "email", "phone_hash": "phone", "session_id": "session", "order_id": "order",
    "transaction_id": "order", "click_id": "click", "ip_hash": "address", "user_agent": "user_agent",
    "url": "url", "path": "url", "referrer": "url", "click_ids": "query", "answer": "answer",
}  # fmt: skip
IDENTIFIERS = ("visitor", "customer", "email", "order")
KEPT_PROPERTIES = ("webdriver",)  # the marts classify traffic by them, and they identify nobody
_EMAIL_PROPERTY = "(properties::json ->> 'email_hash')"  # by which the marts know the customer of a webhook
_NEVER_REPLACED = {"org_id", "site_id", "_content_hash", "_load_id"}


class Replacement(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    kind: str  # of KINDS; text: any other column of the person's rows; mention: a column of other people's rows
    value: str
    new: str
    is_exclusive: bool  # nobody else's: it is replaced in all rows, and later rows with it are anonymised


def create_replacements(connection: Connection, known: Iterable[Replacement] = ()) -> None:
    """Create the table of replacements with the known ones."""
    connection.execute(
        "create or replace temp table replacements"
        " (old_kind varchar, old_value varchar, new_value varchar, is_exclusive boolean)"
    )
    _insert(connection, known)


def read_replacements(connection: Connection) -> list[Replacement]:
    rows = connection.execute(
        "select old_kind, old_value, new_value, is_exclusive from temp.replacements order by all"
    ).fetchall()
    return [Replacement(kind=kind, value=old, new=new, is_exclusive=is_) for kind, old, new, is_ in rows]


def collect_replacements(connection: Connection, relation: Relation, person: Person, where: str = "true") -> int:
    """Collect the values of the person's rows, and the texts of other rows that mention the person.

    where: SQL that limits the relation's rows. Return the number of the person's rows.
    """
    identifiers = {
        "visitor": person.visitors,
        "customer": person.customers,
        "email": person.emails,
        "order": person.orders,
    }
    for kind, values in identifiers.items():
        _add_missing(connection, kind, values, _identifier_pseudonym, is_exclusive=True)
    own_rows = f"from {relation.sql} where {where} and {owns_row_sql(relation, person)}"
    count = int(scalar(connection, f"select count(*) {own_rows}"))
    for column, kind in _kinds(relation).items() if count else ():
        _add_missing(
            connection,
            kind,
            _values(connection, f"select distinct {quoted(column)}::varchar {own_rows}"),
            _replacer(connection, kind),
            is_exclusive=kind == "session" and person.shares_no_device,
        )
    if count and "properties" in relation.columns:
        emails = _values(connection, f"select distinct {_EMAIL_PROPERTY} {own_rows}")
        _add_missing(connection, "email", emails, _replacer(connection, "email"), is_exclusive=False)
    words = distinctive_identifiers(connection)
    for column in _text_columns(relation) if words else ():
        mentions = " or ".join(f"contains({quoted(column)}::varchar, {literal(value)})" for value in words)
        in_scope = f"{in_org_sql(relation, person)} and {before_erasure_sql(relation, person)}"
        query = f"select distinct {quoted(column)}::varchar from {relation.sql}"
        texts = _values(connection, f"{query} where {where} and {in_scope} and ({mentions})")
        _add_missing(connection, "mention", texts, _replacer(connection, "mention"), is_exclusive=True)
    return count


def _identifier_pseudonym(value: str) -> str:
    """Return a pseudonym that keeps the kind of a payment id, such as sub_: the marts read it."""
    return (re.match(r"(?:(?:cs|pi|ch|in|sub)_)?", value) or [""])[0] + pseudonym()


def own_row_values(relation: Relation) -> dict[str, str]:
    """Return SQL of the new values in the person's rows, by column."""
    values = {column: _replaced(kind, quoted(column)) for column, kind in _kinds(relation).items()}
    if "title" in relation.columns:
        values["title"] = "null"
    if "properties" in relation.columns:
        kept = [f"{literal(name)}, properties::json -> {literal(name)}" for name in KEPT_PROPERTIES]
        kept.append(f"'email_hash', {_replaced('email', _EMAIL_PROPERTY)}")
        values["properties"] = f"nullif(json_merge_patch('{{}}', json_object({', '.join(kept)}))::varchar, '{{}}')"
    return values


def other_row_values(relation: Relation) -> dict[str, str]:
    """Return SQL of the new values in other people's rows, by column: without the person's own identifiers."""
    columns = _columns_that_mention(relation)
    return {column: _replaced(kind, quoted(column), "is_exclusive") for column, kind in columns.items()}


def mentions_person_sql(relation: Relation, person: Person) -> str:
    """Return SQL over the relation's columns: whether a row has one of the person's own identifiers."""
    known = "select old_value from temp.replacements where is_exclusive and old_kind"
    conditions = {
        column: f"{quoted(column)}::varchar in ({known} = {literal(kind)})"
        for column, kind in _columns_that_mention(relation).items()
    }
    # A late refund names the order only, and has no time limit.
    by_order, by_others = (
        " or ".join(sql for column, sql in conditions.items() if (KINDS.get(column) == "order") is is_order) or "false"
        for is_order in (True, False)
    )
    in_time = before_erasure_sql(relation, person)
    return f"({in_org_sql(relation, person)} and (({by_order}) or {in_time} and ({by_others})))"


def distinctive_identifiers(connection: Connection) -> dict[str, str]:
    """Return the pseudonyms of the person's own identifiers that no other text equals by chance."""
    return {
        each.value: each.new
        for each in read_replacements(connection)
        if each.kind in IDENTIFIERS and each.is_exclusive and is_distinctive(each.value)
    }


def _kinds(relation: Relation) -> dict[str, str]:
    """Return the kinds of the columns with replaced values in the person's rows."""
    texts = {column: "text" for column in _text_columns(relation) if column not in ("title", "properties")}
    return texts | {column: kind for column, kind in KINDS.items() if column in relation.columns}


def _columns_that_mention(relation: Relation) -> dict[str, str]:
    """Return the kinds of the columns that may mention the person in anybody's rows."""
    identifiers = {column: kind for column, kind in _kinds(relation).items() if kind in IDENTIFIERS}
    return identifiers | dict.fromkeys(_text_columns(relation), "mention")


def _text_columns(relation: Relation) -> list[str]:
    """Return the columns of text that are not identifiers."""
    return [
        column
        for column, type_ in relation.columns.items()
        if type_ in ("VARCHAR", "JSON") and column not in _NEVER_REPLACED and KINDS.get(column) not in IDENTIFIERS
    ]


def _replaced(kind: str, value: str, condition: str = "true") -> str:
    """Return SQL of a value's replacement, or of the value if it has none. value: SQL."""
    of_kind = f"select new_value from temp.replacements where old_kind = {literal(kind)} and {condition}"
    return f"coalesce(({of_kind} and old_value = {value}::varchar), {value})"


def _values(connection: Connection, query: str) -> list[str]:
    return [value for (value,) in connection.execute(query).fetchall() if value is not None]


def _insert(connection: Connection, replacements: Iterable[Replacement]) -> None:
    rows = [msgspec.to_builtins(replacement) for replacement in replacements]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        connection.execute(
            "insert into temp.replacements (old_kind, old_value, new_value, is_exclusive)"
            " select unnest($1::varchar[]), unnest($2::varchar[]), unnest($3::varchar[]), unnest($4::boolean[])",
            columns,
        )


def _add_missing(
    connection: Connection, kind: str, values: list[str], replace: Callable[[str], str], *, is_exclusive: bool
) -> None:
    """Add replacements of the values that have none. A value that `replace` does not change gets none."""
    known = {*_values(connection, f"select old_value from temp.replacements where old_kind = {literal(kind)}")}
    added = [
        Replacement(kind=kind, value=value, new=replace(value), is_exclusive=is_exclusive)
        for value in values
        if value not in known
    ]
    _insert(connection, [each for each in added if each.new != each.value])


def _replacer(connection: Connection, kind: str) -> Callable[[str], str]:
    """Return the function that returns the new value of an old one."""
    if kind == "query":
        return lambda query: anonymise_query(query, lambda value: _click_pseudonym(connection, value))
    if kind in ("text", "mention", "url"):
        words = distinctive_identifiers(connection)
        pattern = word_pattern(words, loosely=kind != "mention") if words else re.compile(r"(?!)")

        def replace_words(text: str) -> str:
            return pattern.sub(lambda found: words[found[0]], text)

        if kind == "url":
            return lambda url: replace_words(anonymise_url(url, lambda value: _click_pseudonym(connection, value)))
        return replace_words
    if kind == "order":  # an order that another person's row has, too, keeps its id
        return lambda order: order
    special = {
        "user_agent": coarse_browser,
        "answer": lambda text: common_answer(connection, text),
    }
    return special.get(kind, lambda value: pseudonym())


def _click_pseudonym(connection: Connection, value: str) -> str:
    _add_missing(connection, "click", [value], lambda value: pseudonym(), is_exclusive=False)
    query = f"select new_value from temp.replacements where old_kind = 'click' and old_value = {literal(value)}"
    return _values(connection, query)[0]

"""A person's rows -> the same rows without the person, so that every count and every sum stays.

In: relations, and a Person whom rows.py holds. Out: `learn` gathers what the person's rows contain and what
takes its place, the temporary table `replacements`; `assignments` gives the new value of each column as SQL. Equal
values get one pseudonym, so that sessions, orders and clicks stay what they were.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from ingestion.person.cut_url import cut
from ingestion.person.pseudonyms import coarse_browser, common_answer, in_words, is_distinctive, pseudonym
from ingestion.person.rows import Person, Relation, in_org, in_time, own
from ingestion.sql import Connection, literal, quoted

# What a column holds, by its name: its values are replaced kind by kind. Other columns stay.
KINDS = {
    "anon_id": "visitor", "visitor_id": "visitor", "user_id": "customer", "customer_id": "customer",
    "email_hash": "email", "phone_hash": "phone", "session_id": "session", "order_id": "order",
    "transaction_id": "order", "click_id": "click", "ip_hash": "address", "user_agent": "user_agent",
    "url": "url", "path": "url", "referrer": "url", "answer": "answer",
}  # fmt: skip
IDENTIFIERS = ("visitor", "customer", "email", "order")
# Properties by which the marts judge traffic stay; they tell nothing of who it was.
KEPT_PROPERTIES = ("webdriver",)
_EMAIL_INSIDE = "(properties::json ->> 'email_hash')"  # by which the marts know a webhook's customer
_NEVER = {"org_id", "site_id", "_content_hash", "_load_id"}


class Replacement(msgspec.Struct, frozen=True, array_like=True):
    kind: str  # of KINDS; text: of other columns of the person's rows; mention: of columns of other people's rows
    value: str
    new: str
    is_theirs: bool  # nobody else's: it is replaced wherever it stands, and may not come back


def start(connection: Connection, known: Iterable[Replacement] = ()) -> None:
    """Make the table of replacements, empty or with what is known."""
    connection.execute(
        "create or replace temp table replacements"
        " (old_kind varchar, old_value varchar, new_value varchar, is_theirs boolean)"
    )
    add(connection, known)


def add(connection: Connection, replacements: Iterable[Replacement]) -> None:
    rows = [msgspec.to_builtins(replacement) for replacement in replacements]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        connection.execute(
            "insert into temp.replacements"
            " select unnest($1::varchar[]), unnest($2::varchar[]), unnest($3::varchar[]), unnest($4::boolean[])",
            columns,
        )


def replacements(connection: Connection) -> list[Replacement]:
    return [Replacement(*row) for row in connection.execute("from temp.replacements order by all").fetchall()]


def learn(connection: Connection, relation: Relation, person: Person, where: str = "true") -> int:
    """Gather what the person's rows of a relation contain, and where other rows mention the person; the rows' number.

    where: SQL; only these rows of the relation are looked at.
    """
    theirs = {"visitor": person.visitors, "customer": person.customers, "email": person.emails, "order": person.orders}
    for kind, values in theirs.items():
        _learn(connection, kind, values, lambda value: pseudonym(), is_theirs=True)
    mine = f"from {relation.sql} where {where} and {own(relation, person)}"
    (rows,) = connection.execute(f"select count(*) {mine}").fetchone()
    for column, kind in _kinds(relation).items() if rows else ():
        _learn(
            connection,
            kind,
            _column(connection, f"select distinct {quoted(column)}::varchar {mine}"),
            _maker(connection, kind),
            is_theirs=kind == "session" and person.is_alone,
        )
    if rows and "properties" in relation.columns:
        inside = _column(connection, f"select distinct {_EMAIL_INSIDE} {mine}")
        _learn(connection, "email", inside, _maker(connection, "email"), is_theirs=False)
    words = identifiers(connection)
    for column in _texts(relation) if words else ():
        named = " or ".join(f"contains({quoted(column)}::varchar, {literal(value)})" for value in words)
        query = f"select distinct {quoted(column)}::varchar from {relation.sql}"
        query += f" where {where} and {in_org(relation, person)} and {in_time(relation, person)} and ({named})"
        _learn(connection, "mention", _column(connection, query), _maker(connection, "mention"), is_theirs=True)
    return rows


def assignments(relation: Relation) -> dict[str, str]:
    """Column -> SQL of what it holds in a row of the person's."""
    found = {column: _replaced(kind, quoted(column)) for column, kind in _kinds(relation).items()}
    if "title" in relation.columns:
        found["title"] = "null"
    if "properties" in relation.columns:
        kept = [f"{literal(name)}, properties::json -> {literal(name)}" for name in KEPT_PROPERTIES]
        kept.append(f"'email_hash', {_replaced('email', _EMAIL_INSIDE)}")
        found["properties"] = f"nullif(json_merge_patch('{{}}', json_object({', '.join(kept)}))::varchar, '{{}}')"
    return found


def mentions(relation: Relation) -> dict[str, str]:
    """Column -> SQL of what it holds in anybody else's row: the person's own identifiers are gone from it."""
    return {column: _replaced(kind, quoted(column), "is_theirs") for column, kind in _mentioning(relation).items()}


def is_mentioned(relation: Relation, person: Person) -> str:
    """SQL over the relation's columns: whether a row bears an identifier of the person's, whoever's row it is."""
    known = "select old_value from temp.replacements where is_theirs and old_kind"
    bears = {
        column: f"{quoted(column)}::varchar in ({known} = {literal(kind)})"
        for column, kind in _mentioning(relation).items()
    }
    # A late refund names the order only, whenever it is.
    late, early = (
        " or ".join(sql for column, sql in bears.items() if (KINDS.get(column) == "order") is is_order) or "false"
        for is_order in (True, False)
    )
    return f"({in_org(relation, person)} and (({late}) or {in_time(relation, person)} and ({early})))"


def identifiers(connection: Connection) -> dict[str, str]:
    """The person's own identifiers that can be told from any other text, each with its pseudonym."""
    return {
        each.value: each.new
        for each in replacements(connection)
        if each.kind in IDENTIFIERS and each.is_theirs and is_distinctive(each.value)
    }


def _kinds(relation: Relation) -> dict[str, str]:
    """The columns whose values are replaced in the person's rows, each with its kind."""
    texts = {column: "text" for column in _texts(relation) if column not in ("title", "properties")}
    return texts | {column: kind for column, kind in KINDS.items() if column in relation.columns}


def _mentioning(relation: Relation) -> dict[str, str]:
    """The columns that are looked at in anybody's row, each with its kind of replacement."""
    identifying = {column: kind for column, kind in _kinds(relation).items() if kind in IDENTIFIERS}
    return identifying | dict.fromkeys(_texts(relation), "mention")


def _texts(relation: Relation) -> list[str]:
    """The columns that may mention a person without being an identifier."""
    return [
        column
        for column, type_ in relation.columns.items()
        if type_ in ("VARCHAR", "JSON") and column not in _NEVER and KINDS.get(column) not in IDENTIFIERS
    ]


def _replaced(kind: str, value: str, condition: str = "true") -> str:
    """SQL of what takes the place of a value, which is SQL; the value itself where nothing does."""
    of_kind = f"select new_value from temp.replacements where old_kind = {literal(kind)} and {condition}"
    return f"coalesce(({of_kind} and old_value = {value}::varchar), {value})"


def _column(connection: Connection, query: str) -> list[str]:
    return [value for (value,) in connection.execute(query).fetchall() if value is not None]


def _learn(
    connection: Connection, kind: str, values: list[str], make: Callable[[str], str], *, is_theirs: bool
) -> None:
    known = {*_column(connection, f"select old_value from temp.replacements where old_kind = {literal(kind)}")}
    made = [Replacement(kind, value, make(value), is_theirs) for value in values if value not in known]
    add(connection, [each for each in made if each.new != each.value])


def _maker(connection: Connection, kind: str) -> Callable[[str], str]:
    """What makes the new value of an old one."""
    if kind in ("text", "mention", "url"):
        words = identifiers(connection)
        pattern = in_words(words, loosely=kind != "mention") if words else re.compile(r"(?!)")

        def without(text: str) -> str:
            return pattern.sub(lambda found: words[found[0]], text)

        return (lambda url: without(cut(url, lambda value: _click_id(connection, value)))) if kind == "url" else without
    if kind == "order":  # one that somebody else's row bears too stays
        return lambda order: order
    special = {
        "user_agent": coarse_browser,
        "answer": lambda text: common_answer(connection, text),
    }
    return special.get(kind, lambda value: pseudonym())


def _click_id(connection: Connection, value: str) -> str:
    _learn(connection, "click", [value], lambda value: pseudonym(), is_theirs=False)
    made = f"select new_value from temp.replacements where old_kind = 'click' and old_value = {literal(value)}"
    return _column(connection, made)[0]

"""Plant personal data in files of every kind: no file of the home has any of it afterwards."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest

from ingestion.files.column_mapping import ImportOptions
from ingestion.files.contracts import CONTRACTS, ContractError
from ingestion.files.inbox import import_inbox
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.settings.model import Org, Settings
from ingestion.warehouse import connect

SETTINGS = Settings(orgs=[Org("default", "USD")])
VALID = {
    "instant": "2026-07-01T00:00:00Z",
    "date": "2026-07-01",
    "currency": "EUR",
    "money": "1",
    "rate": "1.5",
    "event": "CUSTOM",
    "status": "pending",
    "platform": "meta",
}
TEXT = ("text", "name", "platform", "event", "currency", "status", "instant", "money")
NUMBER = count()

EMAIL_FORMS = (
    "{0}",
    " {0} ",
    "Zoe <{0}>, late",
    "mailto:{0}?subject=x",
    "https://shop.example/?mail={0}&x=1",
    "https://shop.example/u/{0}/a",
    "https://shop.example/#{0}",
    "https://{0}:pw@shop.example/",
    "https://{1}:pw@shop.example/",
    "https://shop.example/?mail={1}",
    "https://shop.example/?to=%2Fu%3Fmail%3D{2}",
    "{1}",
    "{2}",
    '{{"note": "{0}"}}',
    '{{"{0}": 1}}',
    '{{"a": [{{"b": "x {0}"}}]}}',
    '{{"note": "{3}"}}',
    '{{"note": "{0}',
)
IPV4_FORMS = (
    "{0}",
    "{0}:51234",
    "[{0}]",
    "{0}, 10.0.0.1",
    "10.0.0.1,{0},10.0.0.2",
    "for={0};proto=https",
    "tcp://{0}:443",
    "::ffff:{0}",
    "https://shop.example/?from={0}",
    "https://shop.example/{0}/a",
    "https://shop.example/#{0}",
    "https://shop.example/?q=a%20{0}",
    "https://shop.example/?q=a%2520{0}%2520b",
    "https://shop.example/?q={1}",
    "https://shop.example/?q={2}",
    "https://{0}@shop.example/",
    "https://{0}%40shop.example/",
    "https://shop.example {0}",
    '{{"note": "{0}"}}',
    '{{"{0}": 1}}',
    '{{"clientIp": "{0}", "x_forwarded_for": ["{0}"]}}',
    '{{"client_address": "{0}',
    "Mozilla/5.0 (compatible; {0})",
)
IPV6_FORMS = (
    "{0}",
    "[{0}]:443",
    "{0}%eth0",
    'for="[{0}]"',
    "ip_{0}",
    "https://shop.example/?q={1}",
    "https://shop.example/?q={2}",
    "https://shop.example/?q=%5B{1}%5D",
    "https://shop.example/?q=%255B{2}%255D",
    '{{"a": "{0}"}}',
)
PHONE_FORMS = ('{{"phone": "{0}"}}', '{{"a": {{"customerPhone": "{0}"}}}}', '{{"telephone": "{0}", "x": ')


def email(form: str) -> str:
    number = next(NUMBER)
    address = f"zoe{number}x.marker@mail{number}.example.org"
    escaped = address.replace("@", "%40")
    forms = address, escaped, quote(escaped, safe=""), address.replace("@", "\\u0040")
    return form.format(*forms)


def ipv4(form: str) -> str:
    number = next(NUMBER)
    dots = f"198.51.{100 + number // 150 % 150}.{100 + number % 150}"
    return form.format(dots, dots.replace(".", "%2E"), dots.replace(".", "%252e"))


def ipv6(form: str) -> str:
    number = next(NUMBER)
    block = f"{0x1000 + number % 0xE000:x}"
    address = (f"2001:db8:{block}::7", f"2001:DB8:0:0:0:0:{block}:1", f"fe80::{block}", f"64:ff9b::{block}:7107")[
        number % 4
    ]
    return form.format(address, address.replace(":", "%3A"), address.replace(":", "%253a"))


def phone(form: str) -> str:
    digits = f"170555{next(NUMBER):05}"
    return form.format(f"+49 ({digits[:3]}) {digits[3:7]}-{digits[7:]}")


FORMS = [
    *((email, form) for form in EMAIL_FORMS),
    *((ipv4, form) for form in IPV4_FORMS),
    *((ipv6, form) for form in IPV6_FORMS),
    *((phone, form) for form in PHONE_FORMS),
]
NAMED = {
    **dict.fromkeys(("ip", "clientIp", "client_address", "remote_addr", "X-Forwarded-For", "x_forwarded_for"), ipv4),
    **dict.fromkeys(("email", "customer_email"), email),
    **dict.fromkeys(("phone", "telephone", "Mobile Number"), phone),
}
SENT = list[str]
# A part of each marker, as it is or escaped once or twice.
TRACES = re.compile(
    r"zoe\d+x|marker|198(?:\.|%2e|%252e)51|2001(?::|%3a|%253a)db8|fe80(?::|%)|64(?::|%3a|%253a)ff9b|555\d-\d{4}",
    re.IGNORECASE,
)


def planted_rows(kind: str, sent: SENT, step: int = 1) -> Iterator[dict[str, str]]:
    """Yield rows of which each text column has a marker: a row for each form, and rows that can load.

    step: use every n-th form, beginning with another one for each kind.
    """
    columns = CONTRACTS[kind].columns
    valid = {column.name: VALID.get(column.type, "x") for column in columns if column.required}
    for maker, form in FORMS[list(CONTRACTS).index(kind) % step :: step]:
        for ids in (True, False):
            row = dict(valid)
            for column in columns:
                if column.type in (TEXT if ids else ("text", "name")) and (ids or not column.name.endswith("_id")):
                    row[column.name] = plant(maker, form, sent)
            row |= {"note": plant(maker, form, sent), "order_note_id": plant(maker, form, sent)}
            row |= {name: plant(named, "{0}", sent) for name, named in NAMED.items()}
            yield row


def plant(maker: object, form: str, sent: SENT) -> str:
    sent.append(maker(form))
    return sent[-1]


def as_csv(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, sorted({name for row in rows for name in row}))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_files(inbox: Path, kind: str, sent: SENT) -> None:
    """Write a CSV file, a damaged one, NDJSON and Parquet, with markers in names and headers too."""
    folder = inbox / kind
    folder.mkdir(parents=True)
    rows = list(planted_rows(kind, sent, 2))
    (folder / "whole.csv").write_text(as_csv(rows))
    torn = "\n".join(f"{plant(maker, form, sent)},{plant(phone, '{0}', sent)}" for maker, form in FORMS)
    (folder / "torn.csv").write_text(as_csv(list(planted_rows(kind, sent, 9))) + torn + "\n")
    lines = [json.dumps(row) for row in planted_rows(kind, sent, 4)]
    lines += [json.dumps(row)[:-2] for row in planted_rows(kind, sent, 4)]
    (folder / "lines.ndjson").write_text("\n".join(lines))
    name = plant(email, "{0}", sent).replace("@", "%40") + plant(ipv4, " {0} ", sent)
    (folder / f"{name}.csv").write_text(as_csv(rows[:3]))
    headers = [plant(email, "{0}", sent), plant(ipv4, "{0}", sent), plant(ipv6, "{0}", sent)]
    (folder / "header.csv").write_text(as_csv([{**row, **dict.fromkeys(headers, "x")} for row in rows[:3]]))
    (folder / f"{plant(email, '{0}', sent)}.csv").write_text(",".join(headers) + "\n")
    with duckdb.connect() as connection:
        path = folder / "rows.parquet"
        connection.execute(f"copy (from read_csv('{folder}/header.csv', all_varchar = true)) to '{path}'")


def everything_stored(home: Home) -> Iterator[tuple[str, str]]:
    """Yield (place, text) of every file, tables and Parquet value by value."""
    for path in home.root.rglob("*"):
        if home.inbox in path.parents:
            continue
        yield "a file's name", path.name
        if path.suffix == ".parquet":
            relation = duckdb.sql(f"from read_parquet('{path}')")
            yield path.name, str(relation.columns) + str(relation.fetchall())
        elif path.is_file():
            yield path.name, path.read_bytes().decode("latin-1")
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        for schema, table in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall():
            yield table, str(connection.execute(f'from "{schema}"."{table}"').fetchall())


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Home:
    found = Home(tmp_path_factory.mktemp("personal"))
    for folder in (found.inbox, found.temporary, found.archive):
        folder.mkdir()
    return found


def test_no_marker_remains(home):
    sent: SENT = []
    messages: list[str] = []
    for kind in CONTRACTS:
        write_files(home.inbox, kind, sent)
    assert len(sent) > 502
    with connect(home) as connection:
        for kind in CONTRACTS:
            with suppress(ContractError):  # the file without the required columns
                import_inbox(connection, home, SETTINGS, kind, messages.append)
        received = connection.execute("select count(*), sum(loaded_rows), sum(failed_rows) from raw.loads").fetchone()
    assert received[0] >= 5 * len(CONTRACTS)  # a spend file with a failed row loads nothing
    assert min(received) > 0
    stored = [*everything_stored(home), ("messages", "\n".join(messages))]
    leaks = [
        (place, text[max(found.start() - 40, 0) : found.end() + 20])
        for place, text in stored
        for found in TRACES.finditer(text)
    ]
    assert not leaks, f"{len(leaks)} of {len(sent):,} markers: {leaks[:: len(leaks) // 40 + 1]}"


@pytest.mark.parametrize(
    ("kind", "text", "options"),
    [
        ("spend", "anna@web.example,Anna Schmidt,Berlin\nbert@web.example,Bert Schmidt,Mainz\n", {}),
        ("conversions", "order_id,x\nAnna Schmidt,Berlin\n", {"where": "order_id::int > 3"}),
        ("conversions", "order_id,occurred_at,x\n1,2026-07-01T00:00:00Z,Berlin\n", {"where": "x::date is null"}),
        ("conversions", "order_id,occurred_at,x\n1,2026-07-01T00:00:00Z,Berlin\n", {"where": "error(x)"}),
        (
            "spend",
            "date,platform,account_id,campaign_id,currency,spend\nBerlin,meta,1,1,Mainz,Anna Schmidt\n",
            {},
        ),
    ],
)
def test_a_refusal_has_no_value_of_the_file(tmp_path, monkeypatch, kind, text, options):
    monkeypatch.setenv("TRIBUTARY_HOME", str(tmp_path / "home"))
    path = tmp_path / "file.csv"
    path.write_text(text)
    settings = Settings(orgs=[Org("default", "USD")])
    with connect(Home.from_environment()) as raw, pytest.raises(ContractError) as refused:
        load_file(raw, kind, path, settings, ImportOptions(**options))
    message = str(refused.value).replace(str(path), "")
    for value in ("web.example", "Anna", "Bert", "Berlin", "Mainz"):
        assert value not in message

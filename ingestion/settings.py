"""tributary.yaml -> validated settings -> raw.orgs, raw.sites, raw.ad_accounts, raw.touch_type_windows, raw.targets.

In: the file in the home folder, made as an example where there is none. Out: Settings, or one SettingsError that lists
every problem as file:line: where: what is wrong: what to do.
"""

from __future__ import annotations

import io
import os
import re
import secrets
from collections.abc import Callable, Iterable
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ingestion.home import Home

EXAMPLE = """\
# Who measures what. `tributary run` reads this file each time; what is wrong in it is reported with its line.

orgs:
  # currency and timezone of the reports; lookback_days is the main attribution window; targets judge waste
  # (cpa: money per conversion, roas: revenue per unit spent). A touch type may have a window of its own:
  # lookback_days_by_touch_type: {{view: 1}}
  - {{id: default, currency: USD, timezone: UTC, lookback_days: 30, targets: {{cpa: 50, roas: 2}}}}

sites:
  # domains (with their subdomains) are your own: links between them are no referrals
  - {{id: shop, org: default, public_key: {key}, domains: [example.com]}}

ad_accounts:
  # whose spend an account's is; accounts that are not listed belong to the org default
  - {{platform: meta, account_id: "1234", org: default}}

# Targets of one platform or one campaign, where they differ from the org's:
# targets:
#   - {{org: default, platform: meta, campaign_id: "42", cpa: 30}}
"""


class SettingsError(Exception):
    """tributary.yaml cannot be used; the message lists every problem in it."""


class Targets(msgspec.Struct, frozen=True):
    cpa: float | None = None
    roas: float | None = None


class Org(msgspec.Struct, frozen=True):
    id: str
    currency: str
    timezone: str = "UTC"
    lookback_days: int = 30
    targets: Targets = Targets()
    lookback_days_by_touch_type: dict[str, int] = {}


class Site(msgspec.Struct, frozen=True):
    id: str
    org: str
    public_key: str | None = None
    domains: list[str] = []


class AdAccount(msgspec.Struct, frozen=True):
    platform: str
    account_id: str
    org: str


class Target(msgspec.Struct, frozen=True):
    org: str
    platform: str
    campaign_id: str | None = None
    cpa: float | None = None
    roas: float | None = None


class Settings(msgspec.Struct, frozen=True):
    orgs: list[Org]
    sites: list[Site] = []
    ad_accounts: list[AdAccount] = []
    targets: list[Target] = []


def load_settings(home: Home) -> Settings:
    """The settings of the home folder; the example file where there is none."""
    if not home.settings.exists():
        _write(home.settings, EXAMPLE.format(key=f"pk_{secrets.token_hex(12)}"))
    document = _parse(home.settings, home.settings.read_bytes())
    problems = list(_problems(document))
    if problems:
        raise SettingsError("\n".join(f"{home.settings}:{line}: {text}" for line, text in problems))
    settings = msgspec.convert(document, Settings, strict=True)
    accounts = [msgspec.structs.replace(a, platform=a.platform.lower()) for a in settings.ad_accounts]
    targets = [msgspec.structs.replace(t, platform=t.platform.lower()) for t in settings.targets]
    return msgspec.structs.replace(settings, ad_accounts=accounts, targets=targets)


def land_settings(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Replace the raw tables of the settings whole, in one transaction."""
    tables: dict[str, list[tuple]] = {
        "orgs": [
            (o.id, o.currency, o.timezone, o.lookback_days, _micros(o.targets.cpa), o.targets.roas) for o in settings.orgs
        ],
        "sites": [(s.id, s.org, s.public_key, [domain.lower() for domain in s.domains]) for s in settings.sites],
        "ad_accounts": [(a.platform, a.account_id, a.org) for a in settings.ad_accounts],
        "touch_type_windows": [
            (o.id, kind.lower(), days) for o in settings.orgs for kind, days in o.lookback_days_by_touch_type.items()
        ],
        "targets": [(t.org, t.platform, t.campaign_id, _micros(t.cpa), t.roas) for t in settings.targets],
    }
    connection.execute("begin")
    try:
        for table, rows in tables.items():
            connection.execute(f"delete from raw.{table}")
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"insert into raw.{table} values ({marks})", rows)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def add_to_settings(
    home: Home, orgs: Iterable[dict] = (), sites: Iterable[dict] = (), ad_accounts: Iterable[dict] = ()
) -> None:
    """Add the entries that the file lacks; what the user wrote, comments included, stays as it is."""
    load_settings(home)
    yaml = _yaml()
    document = _parse(home.settings, home.settings.read_bytes())
    for section, keys, entries in (
        ("orgs", ("id",), orgs), ("sites", ("id",), sites), ("ad_accounts", ("platform", "account_id"), ad_accounts)
    ):
        present = {tuple(entry[key] for key in keys) for entry in document.get(section) or []}
        missing = [entry for entry in entries if tuple(entry[key] for key in keys) not in present]
        if missing and not document.get(section):
            document[section] = []
        for entry in missing:
            document[section].append(_flow(entry))
    text = io.StringIO()
    yaml.dump(document, text)
    _write(home.settings, text.getvalue())
    load_settings(home)


def _problems(document: Any) -> Iterable[tuple[int, str]]:
    if not isinstance(document, dict):
        yield 1, "the file has no `orgs:`: add `orgs: [{id: default, currency: USD, timezone: UTC}]`"
        return
    yield from _unknown(document, "", ("orgs", "sites", "ad_accounts", "targets"))
    if not document.get("orgs"):
        yield 1, "orgs: there is none: add `orgs: [{id: default, currency: USD, timezone: UTC}]`"
    for section, (required, checks, key) in _SECTIONS.items():
        entries = document.get(section)
        if entries is None:
            if section in document:
                yield _line(document, section), f"{section}: empty: remove the line or list entries under it"
            continue
        if not isinstance(entries, list):
            yield _line(document, section), f"{section}: must be a list: begin each entry with `- `"
            continue
        orgs = [entry.get("id") for entry in document.get("orgs") or [] if isinstance(entry, dict)]
        seen: dict[tuple, str] = {}
        for index, entry in enumerate(entries):
            where = f"{section}[{index}]"
            if not isinstance(entry, dict):
                yield _line(entries, index), f"{where}: must be `{{{required[0]}: ...}}`, not {entry!r}"
                continue
            yield from _entry_problems(entry, where, required, checks)
            if "org" in entry and isinstance(entry["org"], str) and entry["org"] not in orgs:
                hint = _hint(entry["org"], orgs) or f"add it under orgs, or use one of {', '.join(map(str, orgs))}"
                yield _line(entry, "org"), f"{where}.org: there is no org {entry['org']}: {hint}"
            identity = tuple(str(entry.get(name)).lower() for name in key)
            if identity in seen:
                yield _line(entries, index), f"{where}: same {' and '.join(key)} as {seen[identity]}: remove one of them"
            seen.setdefault(identity, where)


def _entry_problems(entry: dict, where: str, required: tuple, checks: dict) -> Iterable[tuple[int, str]]:
    yield from _unknown(entry, where, tuple(checks))
    for name in required:
        if name not in entry:
            yield entry.lc.line + 1, f"{where}: {name} is missing: add `{name}: ...`"
    for name, value in entry.items():
        if name in checks and (problem := checks[name](value)):
            yield _line(entry, name), f"{where}.{name}: {problem}"


def _unknown(entry: dict, where: str, known: tuple[str, ...]) -> Iterable[tuple[int, str]]:
    for name in entry:
        if name not in known:
            hint = _hint(str(name), known) or f"known here: {', '.join(known)}"
            yield _line(entry, name), f"{where}.{name}: unknown: {hint}".lstrip(".")


def _hint(name: str, known: Iterable) -> str | None:
    close = get_close_matches(name, [str(k) for k in known], 1)
    return f"do you mean {close[0]}?" if close else None


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return f'{value!r} is not text: write it in quotes ("{value}")'
    return None if value.strip() else "empty: give it a value"


def _currency(value: Any) -> str | None:
    return None if isinstance(value, str) and value in CURRENCIES else f"{value!r} is no ISO 4217 currency: write one such as USD"


def _zone(value: Any) -> str | None:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError, TypeError, AttributeError):
        return f"{value!r} is no IANA time zone: write one such as Europe/Berlin"
    return None


def _days(value: Any) -> str | None:
    fine = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 365
    return None if fine else f"{value!r} is not a number of days from 1 to 365"


def _days_by_type(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "must be such as {view: 1}"
    return next((f"{kind}: {problem}" for kind, days in value.items() if (problem := _text(kind) or _days(days))), None)


def _amount(value: Any) -> str | None:
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e12
    return None if fine else f"{value!r} is not a number above 0"


def _targets(value: Any) -> str | None:
    if not isinstance(value, dict):
        return "must be such as {cpa: 50, roas: 2}"
    unknown = [name for name in value if name not in ("cpa", "roas")]
    if unknown:
        return f"{unknown[0]}: unknown: {_hint(str(unknown[0]), ('cpa', 'roas')) or 'known here: cpa, roas'}"
    return next((f"{name}: {problem}" for name, amount in value.items() if (problem := _amount(amount))), None)


def _domains(value: Any) -> str | None:
    domain = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d+)?")
    if not isinstance(value, list):
        return "must be a list such as [example.com]"
    bad = [item for item in value if not isinstance(item, str) or not domain.fullmatch(item)]
    return f"{bad[0]!r} is no domain: write it without https:// and path, such as example.com" if bad else None


# section -> (required keys, key -> check of its value, what identifies an entry)
_SECTIONS: dict[str, tuple[tuple[str, ...], dict[str, Callable[[Any], str | None]], tuple[str, ...]]] = {
    "orgs": (("id", "currency"), {
        "id": _text, "currency": _currency, "timezone": _zone, "lookback_days": _days, "targets": _targets,
        "lookback_days_by_touch_type": _days_by_type,
    }, ("id",)),
    "sites": (("id", "org"), {"id": _text, "org": _text, "public_key": _text, "domains": _domains}, ("id",)),
    "ad_accounts": (
        ("platform", "account_id", "org"), {"platform": _text, "account_id": _text, "org": _text}, ("platform", "account_id")
    ),
    "targets": (("org", "platform"), {
        "org": _text, "platform": _text, "campaign_id": _text, "cpa": _amount, "roas": _amount,
    }, ("org", "platform", "campaign_id")),
}

# ISO 4217, active codes.
CURRENCIES = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
    IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR
    MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD
    SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD
    XCG XOF XPF YER ZAR ZMW ZWG""".split()
)


def _parse(path: Path, content: bytes) -> Any:
    try:
        return _yaml().load(content.decode())
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise SettingsError(f"{path}:{line}: not YAML: {error.problem or error.context}: mend this line") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}:1: not YAML in UTF-8: {error}: mend the file") from None


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 200
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _flow(entry: dict) -> Any:
    text = io.StringIO()
    YAML(typ="rt").dump(entry, text)
    node = _yaml().load(text.getvalue())
    node.fa.set_flow_style()
    return node


def _line(node: Any, key: Any) -> int:
    try:
        return (node.lc.key(key) if isinstance(node, dict) else node.lc.item(key))[0] + 1
    except (AttributeError, KeyError, TypeError, IndexError):
        return 1


def _micros(amount: float | None) -> int | None:
    return None if amount is None else int((Decimal(str(amount)) * 1_000_000).to_integral_value())


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    os.replace(temporary, path)

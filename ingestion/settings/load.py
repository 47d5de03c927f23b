"""Read tributary.yaml, and add entries to it.

In: the file in the home folder; if there is none, an example becomes the file. Out: Settings, or one SettingsError that
lists every problem with its file, line, place and remedy.
"""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent

from ingestion.attribution_models import all_models, expressions, weight_tables
from ingestion.files.contracts import platform_name
from ingestion.files.id_spellings import normalized_account_id
from ingestion.home import Home
from ingestion.hosts import ascii_address
from ingestion.settings.checks import problems
from ingestion.settings.model import Settings, SettingsError

Entry = Mapping[str, Any]

MAX_BYTES = 2_000_000  # of tributary.yaml
EXAMPLE = """\
# The orgs, sites and ad accounts that Tributary measures. Each `tributary run` reads this file.

orgs:
  # currency and timezone: of the reports. lookback_days: the main attribution window. targets: the thresholds of waste
  # (cpa: money per conversion, roas: revenue per unit spent). attribution_model: the model of the reports (linear).
  # A touch type can have another window: lookback_days_by_touch_type: {{view: 1}}; ignored_referrers: [bank.example]
  # lists more payment and log-in domains
  - {{id: default, currency: USD, timezone: UTC, lookback_days: 30, targets: {{cpa: 50, roas: 2}}}}

sites:
  # domains: your own, with their subdomains; links between them are not referrals
  # origins: other places that may send events, such as http://localhost:8000; events_per_minute: 10000;
  # sample_percent: 100, 80 or 50 of the visitors; cookieless: true derives a visitor id that lasts a day;
  # exclude_bots: false, exclude_suspicious: true and count_own_links: true change which touches the marts count
  - {{id: shop, org: default, public_key: {key}, domains: [example.com]}}

# The org of each ad account. Accounts that are not listed belong to the org default. `tributary connect meta` adds the
# accounts that you can read, and `tributary pull meta` pulls their spend:
# ad_accounts:
#   - {{platform: meta, account_id: "1234", org: default, currency: USD, timezone: Europe/Berlin}}

# Targets of a platform or a campaign that differ from the org's:
# targets:
#   - {{org: default, platform: meta, campaign_id: "42", cpa: 30}}

# Monthly budgets, in the org's currency, and the people who may open the dashboard (docs/access.md):
# budgets:
#   - {{org: default, platform: meta, monthly: 5000}}
# people:
#   - {{email: ana@example.com, orgs: [default], role: analyst}}
# log_in: {{issuer: https://accounts.google.com, client_id: "...", client_secret: TRIBUTARY_LOG_IN_SECRET}}
"""


def load_settings(home: Home) -> Settings:
    """Return the settings of the home folder. Write the example file first if there is none."""
    if not home.settings.exists():
        _write(home.settings, EXAMPLE.format(key=f"pk_{secrets.token_hex(12)}"))
    content = home.settings.read_bytes()
    _check(home.settings, content)
    plain = YAML(typ="safe").load(content)  # the round-trip document has other number types
    settings = msgspec.convert(plain, Settings, strict=True)
    accounts = [
        msgspec.structs.replace(a, platform=platform_name(a.platform), account_id=normalized_account_id(a.account_id))
        for a in settings.ad_accounts
    ]
    targets = [msgspec.structs.replace(t, platform=platform_name(t.platform)) for t in settings.targets]
    budgets = [msgspec.structs.replace(b, platform=platform_name(b.platform)) for b in settings.budgets]
    aliases = [msgspec.structs.replace(a, platform=platform_name(a.platform)) for a in settings.campaign_aliases]
    orgs = [msgspec.structs.replace(o, ignored_referrers=_ascii(o.ignored_referrers)) for o in settings.orgs]
    sites = [
        msgspec.structs.replace(site, domains=_ascii(site.domains), origins=_ascii(site.origins))
        for site in settings.sites
    ]
    return msgspec.structs.replace(
        settings,
        orgs=orgs,
        sites=sites,
        ad_accounts=accounts,
        targets=targets,
        budgets=budgets,
        campaign_aliases=aliases,
        expression_models=expressions(home.root),
        weight_models=weight_tables(home.root),
    )


def _ascii(addresses: Iterable[str]) -> list[str]:
    return [ascii_address(address) for address in addresses]


def add_to_settings(
    home: Home,
    orgs: Iterable[Entry] = (),
    sites: Iterable[Entry] = (),
    ad_accounts: Iterable[Entry] = (),
    *,
    conversion_definitions: Iterable[Entry] = (),
    imports: Iterable[Entry] = (),
) -> None:
    """Add the entries that the file lacks. The user's entries and comments stay as they are.

    An entry of `imports` replaces the one of the same name.
    """
    load_settings(home)
    yaml = _yaml()
    document = _parse(home.settings, home.settings.read_bytes())
    for section, keys, entries in (
        ("orgs", ("id",), orgs),
        ("sites", ("id",), sites),
        ("ad_accounts", ("platform", "account_id"), ad_accounts),
        ("conversion_definitions", ("org", "name"), conversion_definitions),
        ("imports", ("name",), imports),
    ):
        if section == "imports" and document.get(section):
            names = {entry["name"] for entry in entries}
            for index in reversed([i for i, entry in enumerate(document[section]) if entry["name"] in names]):
                del document[section][index]
        present = {tuple(entry[key] for key in keys) for entry in document.get(section) or []}
        missing = [entry for entry in entries if tuple(entry[key] for key in keys) not in present]
        if missing and not document.get(section):
            document[section] = []
        for entry in missing:
            document[section].append(_flow(entry))
    text = io.StringIO()
    yaml.dump(document, text)
    _check(home.settings, text.getvalue().encode())  # a wrong entry would stop every command
    _write(home.settings, text.getvalue())


def read_document(home: Home) -> Any:
    """Return the parsed file with its line numbers (ruamel.yaml). Raises SettingsError with all of its problems."""
    return _check(home.settings, home.settings.read_bytes())


def _check(path: Path, content: bytes) -> Any:
    """Return the parsed content of the file. Raises SettingsError with all of its problems."""
    document = _parse(path, content)
    if wrong := list(problems(document, list(all_models(path.parent)))):
        raise SettingsError("\n".join(f"{path}:{line}: {text}" for line, text in wrong))
    return document


def _parse(path: Path, content: bytes) -> Any:
    if len(content) > MAX_BYTES:
        raise SettingsError(f"{path}:1: {len(content):,} bytes. The file has at most {MAX_BYTES:,}. Remove entries.")
    try:
        return _yaml().load(content.decode())
    except RecursionError:
        raise SettingsError(f"{path}:1: nested too deeply. Write it as the example in docs/import.md.") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        fault = error.problem or error.context or ""
        advice = "Indent with spaces, not tabs." if r"'\t'" in fault else "Correct this line or the one before it."
        raise SettingsError(f"{path}:{line}: not YAML: {fault}. {advice}") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}:1: not YAML in UTF-8: {error}. Correct the file.") from None


class _Composer(Composer):
    """A composer that refuses aliases. Nested ones let a few lines stand for billions of values."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the next node."""
        if self.parser.check_event(AliasEvent):
            mark = self.parser.peek_event().start_mark
            raise ComposerError(problem="an alias (*name) stands for other values", problem_mark=mark)
        return super().compose_node(parent, index)


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.Composer = _Composer
    yaml.preserve_quotes = True
    yaml.width = 200
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _flow(entry: Entry) -> Any:
    """Return the entry as a YAML node on one line."""
    text = io.StringIO()
    YAML(typ="rt").dump(dict(entry), text)
    node = _yaml().load(text.getvalue())
    node.fa.set_flow_style()
    return node


def _write(path: Path, text: str) -> None:
    """Replace the file in one step, so that a reader never sees a part of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    os.replace(temporary, path)

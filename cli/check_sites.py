"""Check the sites of tributary.yaml: their domains, public keys, server keys and the secrets of their senders.

In: settings, the environment, the names that this machine resolves. Out: Findings.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from cli.findings import Finding, good, problem, warning

if TYPE_CHECKING:
    from ingestion.settings.model import Settings

PREFIX = "TRIBUTARY_SERVER_KEY_"
SHORTEST_KEY = 16  # characters: a shorter one can be guessed
RESOLVE_SECONDS = 5


def check_domains(settings: Settings) -> Iterator[Finding]:
    """Check that each site has domains, and that they exist."""
    domains = sorted({domain.partition(":")[0] for site in settings.sites for domain in site.domains})
    missing = {domain for domain, exists in zip(domains, _resolved(domains), strict=True) if not exists}
    for site in settings.sites:
        if not (site.domains or site.origins):
            yield warning("domains", f"site {site.id} has none, so no page may send events. Add `domains: [...]`.")
        elif "example.com" in site.domains:
            yield warning("domains", f"site {site.id} has example.com, the domain of the example. Write your own.")
        elif unknown := [domain for domain in site.domains if domain.partition(":")[0] in missing]:
            yield warning("domains", f"site {site.id}: no address for {', '.join(unknown)}. Check the spelling.")
        else:
            yield good("domains", f"site {site.id} receives events of {', '.join([*site.domains, *site.origins])}")


def _resolved(domains: list[str]) -> list[bool]:
    """Return whether each domain has an address. A resolver that does not answer in time knows none."""
    pool = ThreadPoolExecutor(max_workers=16)
    answers = [pool.submit(_has_address, domain) for domain in domains]
    found = []
    for answer in answers:
        try:
            found.append(answer.result(RESOLVE_SECONDS))
        except TimeoutError:
            found.append(False)
    pool.shutdown(wait=False, cancel_futures=True)
    return found


def _has_address(domain: str) -> bool:
    try:
        return bool(socket.getaddrinfo(domain, 443))
    except (OSError, UnicodeError):
        return False


def check_keys(settings: Settings) -> Iterator[Finding]:
    """Check that sites have public keys, and that the environment holds each secret and no key of an unknown site."""
    from ingestion.settings.model import server_key_variable
    from ingestion.text import suggestion

    variables = {server_key_variable(site.id): site.id for site in settings.sites}
    for site in settings.sites:
        if not site.public_key:
            yield warning("keys", f"site {site.id} has no public_key, so no page can send events. Add one: pk_...")
    for name in sorted(name for name in os.environ if name.startswith(PREFIX)):
        if name not in variables:
            advice = suggestion(name, variables) if variables else "Add the site."
            yield problem("keys", f"{name} is the key of no site of tributary.yaml. {advice}")
        elif len(os.environ[name]) < SHORTEST_KEY:
            yield problem("keys", f"{name} has fewer than {SHORTEST_KEY} characters. Use: openssl rand -hex 24")
        else:
            yield good("keys", f"servers of site {variables[name]} can send events")
    for sender, secret in [
        *((f"webhook {hook.kind} of site {hook.site}", hook.secret) for hook in settings.webhooks),
        *((f"network {network.name} of site {network.site}", network.secret) for network in settings.networks),
    ]:
        if not os.environ.get(secret):
            yield problem("keys", f"{sender} needs its secret. Set {secret} in the environment of the collector.")
    if not any(site.public_key for site in settings.sites):
        yield warning("keys", "no site can receive events. Add one under sites in tributary.yaml.")

"""Who may see what: the principals, and the settings of access.

In: `people` and `log_in` of tributary.yaml, keys of State. Out: Access, and the Principal of a person or a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from serving.access.same_origin import is_loopback
from serving.access.state import SCOPES, Key, State

SCOPES_OF_ROLE = {
    "viewer": frozenset({"read"}),
    "analyst": frozenset(SCOPES),
    "admin": frozenset(SCOPES),
}


class AccessError(Exception):
    """The settings let nobody in, or would let everybody in."""


@dataclass(frozen=True)
class Principal:
    """Who sends a request. orgs: None for all of them."""

    name: str  # for the audit: an e-mail address, `key <id>` or `local`
    orgs: frozenset[str] | None
    role: str  # viewer, analyst, admin
    scopes: frozenset[str]  # of SCOPES

    def may_see(self, org: str) -> bool:
        """Return whether the principal may read the rows of an org."""
        return "read" in self.scopes and (self.orgs is None or org in self.orgs)


LOCAL = Principal("local", None, "admin", frozenset(SCOPES))


@dataclass(frozen=True)
class Person:
    """A person who may log in. email: in lower case. orgs: ids, or "*" alone for all."""

    email: str
    orgs: tuple[str, ...]
    role: str


@dataclass(frozen=True)
class Oidc:
    """The OpenID Connect provider that identifies people."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Access:
    """The settings of access. host, names: where the server listens, and the names under which people open it."""

    session_secret: str = field(repr=False)
    people: tuple[Person, ...] = ()
    oidc: Oidc | None = None
    host: str = "127.0.0.1"
    names: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Return whether only people of this machine reach the server, who need no log-in."""
        return is_loopback(self.host) and not self.names and self.oidc is None

    def person(self, email: str) -> Principal | None:
        """Return the principal with this e-mail address, or None if `people` does not list it."""
        for person in self.people:
            if person.email == email.lower():
                orgs = None if "*" in person.orgs else frozenset(person.orgs)
                return Principal(person.email, orgs, person.role, SCOPES_OF_ROLE[person.role])
        return None


class PersonEntry(Protocol):
    """An entry of `people` in tributary.yaml."""

    @property
    def email(self) -> str: ...
    @property
    def orgs(self) -> list[str] | str: ...
    @property
    def role(self) -> str: ...


class LogInEntry(Protocol):
    """`log_in` in tributary.yaml. client_secret: the name of an environment variable."""

    @property
    def issuer(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def client_secret(self) -> str: ...


def access_of(
    state: State,
    *,
    people: Iterable[PersonEntry],
    log_in: LogInEntry | None,
    environment: Mapping[str, str],
    host: str,
    names: Iterable[str] = (),
) -> Access:
    """Return the settings of access. AccessError if they let nobody in, or if the client's secret is missing."""
    oidc = None
    if log_in:
        secret = environment.get(log_in.client_secret)
        if not secret:
            raise AccessError(
                f"The environment variable {log_in.client_secret} is empty. Set it to the secret of the client"
                f" {log_in.client_id}: log_in.client_secret in tributary.yaml names it."
            )
        oidc = Oidc(log_in.issuer, log_in.client_id, secret)
    listed = tuple(
        Person(entry.email.lower(), (entry.orgs,) if isinstance(entry.orgs, str) else tuple(entry.orgs), entry.role)
        for entry in people
    )
    access = Access(state.session_secret(), listed, oidc, host, tuple(name.lower() for name in names))
    has_key = any(key.revoked_at is None for key in state.list_keys())
    refuse_public(access, has_key=has_key)
    return access


def refuse_public(access: Access, *, has_key: bool) -> None:
    """Raise AccessError if other machines reach a server to which nobody can log in."""
    if access.is_local or has_key or (access.oidc and access.people):
        return
    reason = "log_in is set" if access.oidc and is_loopback(access.host) else "Other machines reach this server"
    raise AccessError(
        f"{reason}, and nobody can log in yet. Add log_in and people to tributary.yaml, or create a key:"
        " tributary keys create --org ORG --name NAME"
    )


def key_principal(key: Key) -> Principal:
    """Return the principal of an API key."""
    orgs = None if key.org is None else frozenset({key.org})
    return Principal(f"key {key.id}", orgs, "admin" if key.org is None else "analyst", key.scopes)

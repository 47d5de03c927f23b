"""The credentials of a platform, renewed in time. In: the environment, else the secret store. Out: Credentials.

TRIBUTARY_<PLATFORM>_<NAME> goes before what is stored. A token from the environment belongs to a login of its own: the
stored tokens are then left alone, and what it is renewed to is kept in a slot beside them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from connectors.auth import oauth, secret_store
from connectors.auth.oauth import TOKENS
from connectors.http.errors import NoSecretStore, NotConnected, TokenRevoked, VendorError
from connectors.platform import Platform

LOGIN = ("access_token", "refresh_token")  # one of them lets in
ORIGIN = "origin"  # of which tokens of the environment the stored ones are renewals


class Values(dict[str, str]):
    """Credentials by name. One that is missing is an error for people; what they are is not shown."""

    def __init__(self, platform: Platform, values: dict[str, str]) -> None:
        super().__init__(values)
        self.platform = platform

    def __missing__(self, name: str) -> str:
        raise NotConnected(
            f"{self.platform.label}: {name} is missing: tributary connect {self.platform.name}, "
            f"or set {variable(self.platform, name)}"
        )

    def __repr__(self) -> str:
        return f"<{self.platform.name}: {', '.join(sorted(self))}>"


class StoredCredentials:
    """Of one platform; satisfies connectors.http.client.Credentials. `values` changes when they are renewed."""

    def __init__(
        self,
        platform: Platform,
        store: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.platform, self.store, self.now = platform, store, now
        self._renewed: dict[str, str] = {}  # of the environment's tokens, by this process
        self.is_from_environment = any(name in environment(platform) for name in LOGIN)
        self.values = self._read()

    def __repr__(self) -> str:
        return f"StoredCredentials({self.values!r})"

    @property
    def is_connected(self) -> bool:
        return any(name in self.values for name in LOGIN)

    @property
    def can_renew(self) -> bool:
        kind = self.platform.oauth
        if kind is None or kind.request_token_url:  # OAuth 1.0a: its tokens hold until they are taken back
            return False
        return "refresh_token" in self.values or kind.refresh is not None

    def expires_soon(self, now: datetime) -> bool:
        """Whether the access token ought to be renewed now; one that cannot be is used to its end."""
        if not self.can_renew or not self.platform.oauth:
            return False
        if "access_token" not in self.values:
            return True
        ends = moment(self.values, "expires_at")
        return ends is not None and ends - timedelta(seconds=self.platform.oauth.renew_seconds_before) <= now

    def renew(self, client: httpx.Client) -> None:
        """New tokens in `values`, and in the store; raises TokenRevoked, Transient, VendorError.

        Where another process has just renewed them, its tokens are taken: many platforms end the former refresh token.
        """
        with self._lock():
            known, self.values = self.values, self._read()
            by_another = self.values.get("access_token") != known.get("access_token")
            if by_another and not self.expires_soon(self.now()):
                return
            if not self.can_renew:
                raise TokenRevoked(f"{self.platform.label}: {self._what_to_do()}")
            try:
                renewed = oauth.renewed(self.platform, self.values, client, self.now())
            except TokenRevoked as error:
                said = str(error).rstrip(".")
                raise TokenRevoked(f"{self.platform.label}: {said}. {self._what_to_do()}") from None
            self._keep({name: renewed[name] for name in TOKENS if name in renewed})

    def connect(self, values: dict[str, str]) -> None:
        """Keep the credentials of a person who has just connected, in place of those before."""
        with self._lock():
            secret_store.write(self._path(), self.platform.name, values)
            self.values = self._read()

    @property
    def _environment_slot(self) -> str:
        return f"{self.platform.name} (environment)"

    def _path(self) -> Path:
        if self.store is None:
            raise VendorError(f"{self.platform.label}: nothing was named that keeps credentials")
        return self.store

    def _lock(self) -> AbstractContextManager[None]:
        return secret_store.locked(self.store) if self.store else nullcontext()

    def _read(self) -> Values:
        given, stored = environment(self.platform), {}
        if self.store:
            try:
                stored = secret_store.read(self.store, self.platform.name)
            except NoSecretStore:
                if not self.is_from_environment:
                    raise
        if self.is_from_environment:
            stored = {name: value for name, value in stored.items() if name not in TOKENS}
            return Values(self.platform, {**stored, **given, **self._renewals(given)})
        return Values(self.platform, {**stored, **given})

    def _renewals(self, given: dict[str, str]) -> dict[str, str]:
        """What the environment's tokens were renewed to: newer than they are."""
        renewals = {}
        if self.store:
            with suppress(NoSecretStore):
                renewals = secret_store.read(self.store, self._environment_slot)
        return renewals if renewals.pop(ORIGIN, None) == _origin(given) else self._renewed

    def _keep(self, tokens: dict[str, str]) -> None:
        """Called with the lock. Without a store, tokens of the environment are renewed for this process only."""
        if self.is_from_environment:
            self._renewed = {**self._renewed, **tokens}
            if self.store:
                with suppress(NoSecretStore):
                    origin = _origin(environment(self.platform))
                    secret_store.write(self.store, self._environment_slot, {**tokens, ORIGIN: origin})
        else:
            stored = secret_store.read(self._path(), self.platform.name)
            secret_store.write(self._path(), self.platform.name, {**stored, **tokens})
        self.values = Values(self.platform, {**self.values, **tokens})

    def _what_to_do(self) -> str:
        connect = f"tributary connect {self.platform.name}"
        if not self.is_from_environment:
            return f"The access has ended: connect again: {connect}"
        names = " and ".join(variable(self.platform, name) for name in LOGIN if name in environment(self.platform))
        return f"What {names} brings is no longer accepted: put a new one there; or take it away, and {connect}"


def load(platform: Platform, store: Path | None = None) -> StoredCredentials:
    """The credentials of a platform; NotConnected where there are none. store: `credentials.bin` of a home folder
    (connectors/auth/secret_store.py); None: the environment only."""
    credentials = StoredCredentials(platform, store)
    if not credentials.is_connected:
        raise NotConnected(
            f"{platform.label} is not connected: tributary connect {platform.name}, "
            f"or set {variable(platform, 'access_token')}"
        )
    return credentials


def environment(platform: Platform) -> dict[str, str]:
    """What the environment brings, by name."""
    names = (*platform.secrets, *platform.more_secrets, *TOKENS)
    return {name: value for name in names if (value := os.environ.get(variable(platform, name), "").strip())}


def variable(platform: Platform, name: str) -> str:
    """The environment variable of a credential: TRIBUTARY_META_ACCESS_TOKEN."""
    return f"TRIBUTARY_{platform.name}_{name}".upper()


def moment(values: dict[str, str], name: str) -> datetime | None:
    """The time that a credential names, None where it names none; NotConnected for what is no time."""
    text = values.get(name)
    try:
        when = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise NotConnected(f"{name} is {text!r}, not a time such as 2026-11-20T12:00:00+00:00: correct it") from None
    return when.replace(tzinfo=when.tzinfo or UTC) if when else None


def _origin(given: dict[str, str]) -> str:
    return hashlib.sha256("\n".join(given.get(name, "") for name in LOGIN).encode()).hexdigest()

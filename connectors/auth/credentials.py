"""The credentials of a service, from the environment or the secret store, renewed in time.

In: TRIBUTARY_<SERVICE>_<NAME> variables, which go before stored values; the secret store. Out: StoredCredentials, which
connectors/http/client.py uses. Tokens in the environment belong to a login of their own: its renewals have their own
slot in the store, and the stored login stays as it is.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from connectors.auth import oauth, secret_store
from connectors.auth.oauth import TOKENS
from connectors.auth.token_response import DamagedToken
from connectors.http.errors import NoSecretStore, NotConnected, TokenRevoked, VendorError
from connectors.http.service import Service

LOGIN_TOKENS = ("access_token", "refresh_token", "service_account")  # one of them is enough
ORIGIN = "origin"  # the hash of the environment's tokens that the stored ones renew


class Values(dict[str, str]):
    """Credentials by name. A missing one raises NotConnected. `repr` shows names only."""

    def __init__(self, service: Service, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.service = service

    def __missing__(self, name: str) -> str:
        raise NotConnected(
            f"{self.service.label}: {name} is missing: tributary connect {self.service.name}, "
            f"or set {variable(self.service, name)}"
        )

    def __repr__(self) -> str:
        return f"<{self.service.name}: {', '.join(sorted(self))}>"


class StoredCredentials:
    """The credentials of one service. `values` changes when they are renewed."""

    def __init__(
        self,
        service: Service,
        store: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.service, self.store, self.now = service, store, now
        self._renewed_here: dict[str, str] = {}  # the environment's tokens, as this process renewed them
        self.is_from_environment = any(name in environment(service) for name in LOGIN_TOKENS)
        self.values = self._read()

    def __repr__(self) -> str:
        return f"StoredCredentials({self.values!r})"

    @property
    def is_connected(self) -> bool:
        return any(name in self.values for name in LOGIN_TOKENS)

    @property
    def can_renew(self) -> bool:
        config = self.service.oauth
        if config is None or config.request_token_url:  # OAuth 1.0a tokens do not expire
            return False
        lasting = {"refresh_token", "service_account"}
        return not lasting.isdisjoint(self.values) or config.refresh is not None

    def expires_soon(self, now: datetime) -> bool:
        """Return whether to renew the access token now. A token that cannot be renewed is used until it expires."""
        if not self.can_renew or not self.service.oauth:
            return False
        if "access_token" not in self.values:
            return True
        expires_at = parse_time(self.values, "expires_at")
        early = timedelta(seconds=self.service.oauth.renew_seconds_before)
        return expires_at is not None and expires_at - early <= now

    def renew(self, http: httpx.Client) -> None:
        """Renew the tokens in `values` and in the store. Raise TokenRevoked, Transient or VendorError.

        If another process has just renewed them, use its tokens: many platforms revoke the former refresh token.
        """
        with self._lock():
            former, self.values = self.values, self._read()
            is_renewed_elsewhere = self.values.get("access_token") != former.get("access_token")
            if is_renewed_elsewhere and not self.expires_soon(self.now()):
                return
            if not self.can_renew:
                raise TokenRevoked(f"{self.service.label}: {self._what_to_do()}")
            self._require_writable_store()
            try:
                renewed = oauth.renew(self.service, self.values, http, self.now())
            except DamagedToken as damaged:
                if damaged.refresh_token:  # the platform may have revoked the former one already
                    self._write({"refresh_token": damaged.refresh_token})
                raise
            except TokenRevoked as error:
                reason = str(error).rstrip(".")
                raise TokenRevoked(f"{self.service.label}: {reason}. {self._what_to_do()}") from None
            self._write({name: renewed[name] for name in TOKENS if name in renewed})

    def connect(self, values: dict[str, str]) -> None:
        """Store the credentials of a person who has just connected, in place of the former ones."""
        with self._lock():
            secret_store.write(self._store_path(), self.service.name, values)
            self.values = self._read()

    @property
    def _environment_slot(self) -> str:
        return f"{self.service.name} (environment)"

    def _store_path(self) -> Path:
        if self.store is None:
            raise VendorError(f"{self.service.label}: credentials cannot be stored without a home folder")
        return self.store

    def _lock(self) -> AbstractContextManager[None]:
        return secret_store.locked(self.store) if self.store else nullcontext()

    def _require_writable_store(self) -> None:
        """Write the stored tokens once more. A store that fails must do so before the platform revokes a token."""
        if not self.store:
            return
        slot = self._environment_slot if self.is_from_environment else self.service.name
        with suppress(NoSecretStore) if self.is_from_environment else nullcontext():
            secret_store.write(self.store, slot, secret_store.read(self.store, slot))

    def _read(self) -> Values:
        given, stored = environment(self.service), {}
        if self.store:
            try:
                stored = secret_store.read(self.store, self.service.name)
            except NoSecretStore:
                if not self.is_from_environment:
                    raise
        if self.is_from_environment:
            stored = {name: value for name, value in stored.items() if name not in TOKENS}
            return Values(self.service, {**stored, **given, **self._renewals_of(given)})
        return Values(self.service, {**stored, **given})

    def _renewals_of(self, given: dict[str, str]) -> dict[str, str]:
        """Return the tokens that renewed those of the environment, if any."""
        renewals = {}
        if self.store:
            with suppress(NoSecretStore):
                renewals = secret_store.read(self.store, self._environment_slot)
        return renewals if renewals.pop(ORIGIN, None) == _origin(given) else self._renewed_here

    def _write(self, tokens: dict[str, str]) -> None:
        """Store renewed tokens; the caller holds the lock. Without a store, those of the environment stay in memory."""
        if self.is_from_environment:
            given = environment(self.service)
            # A response without a refresh token leaves the one of an earlier renewal valid.
            self._renewed_here = renewals = {**self._renewals_of(given), **tokens}
            if self.store:
                with suppress(NoSecretStore):
                    secret_store.write(self.store, self._environment_slot, {**renewals, ORIGIN: _origin(given)})
        else:
            stored = secret_store.read(self._store_path(), self.service.name)
            secret_store.write(self._store_path(), self.service.name, {**stored, **tokens})
        self.values = Values(self.service, {**self.values, **tokens})

    def _what_to_do(self) -> str:
        command = f"tributary connect {self.service.name}"
        if not self.is_from_environment:
            return f"The access has ended. Connect again: {command}"
        given = environment(self.service)
        names = " and ".join(variable(self.service, name) for name in LOGIN_TOKENS if name in given)
        return f"The platform no longer accepts {names}. Set a new token, or remove the variable and run {command}"


def load(service: Service, store: Path | None = None) -> StoredCredentials:
    """Return the credentials of a service. Raise NotConnected if there are none.

    store: `credentials.bin` of a home folder (connectors/auth/secret_store.py); None: the environment only.
    """
    credentials = StoredCredentials(service, store)
    if not credentials.is_connected:
        raise NotConnected(
            f"{service.label} is not connected: tributary connect {service.name}, "
            f"or set {variable(service, 'access_token')}"
        )
    return credentials


def environment(service: Service) -> dict[str, str]:
    """Return the credentials that environment variables state, by name."""
    names = (*service.secrets, *service.optional_secrets, *TOKENS)
    return {name: value for name in names if (value := os.environ.get(variable(service, name), "").strip())}


def variable(service: Service, name: str) -> str:
    """Return the environment variable of a credential: TRIBUTARY_META_ACCESS_TOKEN."""
    return f"TRIBUTARY_{service.name}_{name}".upper()


def parse_time(values: Mapping[str, str], name: str) -> datetime | None:
    """Return the time in a credential, or None if it is absent. Raise NotConnected for other text."""
    text = values.get(name)
    try:
        time = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise NotConnected(f"{name} is {text!r}. Set a time such as 2026-11-20T12:00:00+00:00") from None
    return time.replace(tzinfo=time.tzinfo or UTC) if time else None


def _origin(given: dict[str, str]) -> str:
    return hashlib.sha256("\n".join(given.get(name, "") for name in LOGIN_TOKENS).encode()).hexdigest()

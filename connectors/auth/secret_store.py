"""Where secrets rest: the operating system's keyring, or one encrypted file. {name: value} of a slot in and out.

The file is encrypted (Fernet) under TRIBUTARY_SECRET_KEY, by way of scrypt: 16 bytes of salt, then the token. Whoever
sets the key wants the file, keyring or not: a server's jobs have no keyring, and would look for what a login put there.
"""

from __future__ import annotations

import base64
import fcntl
import functools
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import keyring
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from keyring.errors import KeyringError, PasswordDeleteError

from connectors.http.errors import NoSecretStore

KEY = "TRIBUTARY_SECRET_KEY"
HOW = f"set {KEY} to a long random text, such as that of `openssl rand -base64 32`, and keep it"
SALT = 16  # bytes
SERVICE = "tributary"


def where(path: Path) -> str:
    """What keeps the secrets, in words; NoSecretStore where nothing can."""
    if os.environ.get(KEY):
        return f"{path}, encrypted under {KEY}"
    if _has_keyring():
        return f"the keyring of this machine ({keyring.get_keyring().name})"
    raise NoSecretStore(f"this machine has no keyring to keep secrets in: {HOW}")


def read(path: Path, slot: str) -> dict[str, str]:
    """What the slot holds, {} if nothing. path: the file that serves where there is no keyring."""
    if os.environ.get(KEY):
        return _read_file(path).get(slot, {})
    if not _has_keyring():
        if path.exists():
            raise NoSecretStore(f"{path} is encrypted: set {KEY} to the text that it was written with")
        return {}
    with _keyring_errors():
        return json.loads(keyring.get_password(SERVICE, _entry(path, slot)) or "{}")


def write(path: Path, slot: str, values: dict[str, str]) -> None:
    """Put `values` in place of what the slot holds; {} empties it. The caller holds `locked(path)`."""
    where(path)
    if os.environ.get(KEY):
        slots = {name: held for name, held in {**_read_file(path), slot: values}.items() if held}
        _write_file(path, slots)
        return
    with _keyring_errors():
        if values:
            keyring.set_password(SERVICE, _entry(path, slot), json.dumps(values))
            return
        with suppress(PasswordDeleteError):  # there was none
            keyring.delete_password(SERVICE, _entry(path, slot))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One at a time, over all processes, from reading to writing: a token that is renewed twice is lost."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _entry(path: Path, slot: str) -> str:
    """Homes do not share: two of them may be connected by different people."""
    return f"{slot} of {path.parent.resolve()}"


def _has_keyring() -> bool:
    return keyring.get_keyring().priority >= 1  # those that only say no, or keep nothing, rank lower


@contextmanager
def _keyring_errors() -> Iterator[None]:
    try:
        yield
    except KeyringError as error:
        kind = type(error).__name__  # what it says itself may hold anything
        raise NoSecretStore(f"the keyring of this machine did not answer ({kind}): unlock it, or {HOW}") from None


def _read_file(path: Path) -> dict[str, dict[str, str]]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    try:
        return json.loads(_cipher(os.environ[KEY], content[:SALT]).decrypt(content[SALT:]))
    except InvalidToken:
        raise NoSecretStore(
            f"{path} does not open: {KEY} is not what it was written with, or the file is damaged. "
            "Set the former key; or remove the file, and connect again"
        ) from None


def _write_file(path: Path, slots: dict[str, dict[str, str]]) -> None:
    """Whole or not at all, and for its owner only."""
    salt = path.read_bytes()[:SALT] if path.exists() else secrets.token_bytes(SALT)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(salt + _cipher(os.environ[KEY], salt).encrypt(json.dumps(slots).encode()))
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


@functools.lru_cache(maxsize=4)  # a tenth of a second each, on purpose
def _cipher(key: str, salt: bytes) -> Fernet:
    derived = Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))

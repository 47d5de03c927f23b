"""Store secrets in the operating system's keyring or in one encrypted file.

In and out: a slot's values by name. TRIBUTARY_SECRET_KEY, if set, selects the file even on a machine with a keyring: a
server's jobs, which have none, must find the same secrets. The file has 16 bytes of salt, then a Fernet token. Its key
scrypt derives from TRIBUTARY_SECRET_KEY.
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
HOW_TO_SET_KEY = f"set {KEY} to a long random text, such as the output of `openssl rand -base64 32`, and keep it"
SALT_BYTES = 16
SERVICE = "tributary"


def describe(path: Path) -> str:
    """Return the place of the secrets in words. Raise NoSecretStore if there is none."""
    if os.environ.get(KEY):
        return f"{path}, encrypted under {KEY}"
    if _has_keyring():
        return f"this machine's keyring ({keyring.get_keyring().name})"
    raise NoSecretStore(f"this machine has no keyring to store secrets in: {HOW_TO_SET_KEY}")


def read(path: Path, slot: str) -> dict[str, str]:
    """Return the values of a slot, {} if it is empty. path: the encrypted file."""
    if os.environ.get(KEY):
        return _read_file(path).get(slot, {})
    if not _has_keyring():
        if path.exists():
            raise NoSecretStore(f"{path} is encrypted. Set {KEY} to the text with which it was written")
        return {}
    with _keyring_errors():
        values: dict[str, str] = json.loads(keyring.get_password(SERVICE, _entry(path, slot)) or "{}")
        return values


def write(path: Path, slot: str, values: dict[str, str]) -> None:
    """Replace the values of a slot; {} empties it. The caller holds `locked(path)`."""
    describe(path)
    if os.environ.get(KEY):
        slots = {name: stored for name, stored in {**_read_file(path), slot: values}.items() if stored}
        _write_file(path, slots)
        return
    with _keyring_errors():
        if values:
            keyring.set_password(SERVICE, _entry(path, slot), json.dumps(values))
            return
        with suppress(PasswordDeleteError):  # it does not exist
            keyring.delete_password(SERVICE, _entry(path, slot))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock the store against other processes, from reading to writing: a token that two processes renew is lost."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _entry(path: Path, slot: str) -> str:
    """Return the keyring entry of a slot. Homes do not share entries: different people may have connected them."""
    return f"{slot} of {path.parent.resolve()}"


def _has_keyring() -> bool:
    return keyring.get_keyring().priority >= 1  # backends that fail, or store nothing, rank lower


@contextmanager
def _keyring_errors() -> Iterator[None]:
    try:
        yield
    except KeyringError as error:
        kind = type(error).__name__  # its message may contain a secret
        raise NoSecretStore(f"this machine's keyring failed ({kind}): unlock it, or {HOW_TO_SET_KEY}") from None


def _read_file(path: Path) -> dict[str, dict[str, str]]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    try:
        cipher = _cipher(os.environ[KEY], content[:SALT_BYTES])
        slots: dict[str, dict[str, str]] = json.loads(cipher.decrypt(content[SALT_BYTES:]))
        return slots
    except InvalidToken:
        raise NoSecretStore(
            f"{path} cannot be decrypted: it was written with another {KEY}, or it is damaged. "
            "Set the former key, or remove the file and connect again"
        ) from None


def _write_file(path: Path, slots: dict[str, dict[str, str]]) -> None:
    """Replace the file atomically. Only its owner may read it."""
    salt = path.read_bytes()[:SALT_BYTES] if path.exists() else secrets.token_bytes(SALT_BYTES)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(salt + _cipher(os.environ[KEY], salt).encrypt(json.dumps(slots).encode()))
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


@functools.lru_cache(maxsize=4)  # scrypt takes a tenth of a second, on purpose
def _cipher(key: str, salt: bytes) -> Fernet:
    derived = Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))

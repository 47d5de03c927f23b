"""The fixture of every platform's fake, which the matrix of tests uses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.connectors import PLATFORMS
from tests.support.vendors import VENDORS
from tests.support.vendors.base import Vendor, serving


@pytest.fixture(params=PLATFORMS)
def vendor(request, monkeypatch, tmp_path) -> Iterator[Vendor]:
    """Serve the platform's fake, and set the environment so that its connector uses it."""
    with serving(VENDORS[request.param]()) as served:
        prefix = f"TRIBUTARY_{served.name.upper()}"
        monkeypatch.setenv(f"{prefix}_URL", served.url)
        secrets = {"access_token": served.access_token, "refresh_token": served.refresh_token, **served.credentials}
        for name, value in secrets.items():
            monkeypatch.setenv(f"{prefix}_{name.upper()}", value)
        yield served

"""The versions of APIs: one line a platform, the version that its connector uses, and notices before it ends."""

from __future__ import annotations

import importlib
from datetime import date, timedelta

import pytest

from connectors.ads import PLATFORMS
from connectors.api_versions import API_VERSIONS, ApiVersion, ending_notice

WITHOUT_CONSTANT = {"reddit": "v3", "amazon": "v3"}  # their version is in an address or in a media type


def test_every_platform_has_the_version_that_its_connector_uses():
    assert list(API_VERSIONS) == list(PLATFORMS)
    for name, version in API_VERSIONS.items():
        module = importlib.import_module(f"connectors.ads.{name}")
        assert version.version == getattr(module, "VERSION", WITHOUT_CONSTANT.get(name))
        assert version.source.startswith("https://")
        assert version.basis


@pytest.mark.parametrize(
    ("ends_in", "expected"),
    [
        (91, None),
        (90, "Meta: version v26.0 of its API ends on 2026-09-29 (announced). Install a newer version of Tributary"),
        (0, "Meta: version v26.0 of its API ended on 2026-07-01 (announced). Install a newer version of Tributary"),
        (None, None),
    ],
)
def test_a_version_that_ends_within_ninety_days_is_a_notice(monkeypatch, ends_in, expected):
    today = date(2026, 7, 1)
    ends_on = None if ends_in is None else today + timedelta(days=ends_in)
    monkeypatch.setitem(API_VERSIONS, "meta", ApiVersion("v26.0", ends_on, "announced", "https://versions.example"))
    notice = ending_notice("meta", "Meta", today)
    assert notice == (f"{expected}. See https://versions.example" if expected else None)

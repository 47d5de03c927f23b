"""Pinterest's own features: reports that omit zeros, jobs that end without a file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.http.errors import VendorError
from tests.support.connectors import figures, pull

pytestmark = pytest.mark.parametrize("vendor", ["pinterest"], indirect=True)


def test_omitted_spend_is_zero(vendor):
    vendor.facts[0] = replace(vendor.facts[0], spend_micros=0)
    first = figures(pull(vendor))[0]
    assert (first[6], first[7]) == (0, vendor.facts[0].impressions)


def test_spend_below_half_a_cent_is_kept(vendor):
    vendor.facts[0] = replace(vendor.facts[0], spend_micros=4_321)
    assert figures(pull(vendor))[0][6] == 4_321


@pytest.mark.parametrize("ending", ["FAILED", "EXPIRED", "CANCELLED", "DOES_NOT_EXIST"])
def test_report_without_a_file_is_an_error(vendor, ending):
    vendor.ending = ending
    with pytest.raises(VendorError, match=ending):
        pull(vendor)

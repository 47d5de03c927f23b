"""What only Pinterest does: reports that leave out zeros, and jobs that end without one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.http.errors import VendorError
from tests.support.connectors import pulled, told

pytestmark = pytest.mark.parametrize("vendor", ["pinterest"], indirect=True)


def test_spend_that_is_left_out_is_zero_and_the_rest_of_the_row_stays(vendor):
    vendor.facts[0] = replace(vendor.facts[0], spend_micros=0)
    first = told(pulled(vendor))[0]
    assert (first[6], first[7]) == (0, vendor.facts[0].impressions)


def test_spend_of_less_than_half_a_cent_is_kept_though_its_twin_rounds_it_away(vendor):
    vendor.facts[0] = replace(vendor.facts[0], spend_micros=4_321)
    assert told(pulled(vendor))[0][6] == 4_321


@pytest.mark.parametrize("ending", ["FAILED", "EXPIRED", "CANCELLED", "DOES_NOT_EXIST"])
def test_a_report_that_came_to_nothing_is_an_error(vendor, ending):
    vendor.ending = ending
    with pytest.raises(VendorError, match=ending):
        pulled(vendor)

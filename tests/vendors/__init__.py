"""The platforms' APIs on loopback, one module a platform."""

from vendors.base import Vendor
from vendors.meta import Meta

VENDORS: dict[str, type[Vendor]] = {
    vendor.name: vendor
    for vendor in (
        Meta,
    )
}  # fmt: skip

"""The platforms' APIs on loopback, one module a platform."""

from vendors.base import Vendor
from vendors.google import Google
from vendors.meta import Meta
from vendors.microsoft import Microsoft
from vendors.pinterest import Pinterest
from vendors.snapchat import Snapchat

VENDORS: dict[str, type[Vendor]] = {
    vendor.name: vendor
    for vendor in (
        Meta,
        Google,
        Microsoft,
        Snapchat,
        Pinterest,
    )
}  # fmt: skip

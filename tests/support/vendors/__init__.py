"""Fakes of the platforms' APIs, one module for each platform and one for the example of docs/add-a-platform.md."""

from tests.support.vendors.amazon import Amazon
from tests.support.vendors.base import Vendor
from tests.support.vendors.example import Example
from tests.support.vendors.google import Google
from tests.support.vendors.linkedin import LinkedIn
from tests.support.vendors.meta import Meta
from tests.support.vendors.microsoft import Microsoft
from tests.support.vendors.pinterest import Pinterest
from tests.support.vendors.reddit import Reddit
from tests.support.vendors.snapchat import Snapchat
from tests.support.vendors.tiktok import TikTok
from tests.support.vendors.x import X

VENDORS: dict[str, type[Vendor]] = {
    vendor.name: vendor
    for vendor in (
        Meta,
        Google,
        TikTok,
        Reddit,
        Microsoft,
        Snapchat,
        Pinterest,
        LinkedIn,
        X,
        Amazon,
        Example,
    )
}

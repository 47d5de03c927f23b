"""The platforms' APIs on loopback, one module a platform, and the one that docs/add-a-platform.md made up."""

from vendors.amazon import Amazon
from vendors.base import Vendor
from vendors.example import Example
from vendors.google import Google
from vendors.linkedin import LinkedIn
from vendors.meta import Meta
from vendors.microsoft import Microsoft
from vendors.pinterest import Pinterest
from vendors.reddit import Reddit
from vendors.snapchat import Snapchat
from vendors.tiktok import TikTok
from vendors.x import X

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

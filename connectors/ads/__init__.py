"""The platforms that can be pulled. A new one is a module here and a line below."""

from connectors.ads import amazon, google, linkedin, meta, microsoft, pinterest, reddit, snapchat, tiktok, x
from connectors.platform import Platform

PLATFORMS: dict[str, Platform] = {
    module.PLATFORM.name: module.PLATFORM
    for module in (
        meta,
        google,
        tiktok,
        reddit,
        microsoft,
        snapchat,
        pinterest,
        linkedin,
        x,
        amazon,
    )
}

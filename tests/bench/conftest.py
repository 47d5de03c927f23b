"""Put the folder of the benchmarks on the path: they are scripts, and import the modules beside them."""

from __future__ import annotations

import sys

from tests.support.home import ROOT

sys.path.insert(0, str(ROOT / "bench"))

"""The service's own description. In: the structs that decode requests. Out: an OpenAPI 3.1 document."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def document() -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "Tributary collector", "version": "1"}, "paths": {}}

"""Answer rollups by the same SQL in a fresh connection for each request: what bench/serve.py compares with.

In: a port, a published file of an org. Out: JSON rows, at any path.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.questions import load_questions

FILE = Path(sys.argv[2])
QUESTION = load_questions()["rollups"]
encode = msgspec.json.Encoder(decimal_format="number").encode


def rows(query: dict[str, str]) -> bytes:
    """Return the rows of a page as JSON."""
    first, _, last = query["dateRange"].partition(",")
    values = {
        "from": first, "to": last, "grain": query.get("grain"), "model": query.get("model", "linear"), "mode": "cash",
        "conversion_type": "purchase", "platform": None, "campaign_id": None,
    }  # fmt: skip
    with duckdb.connect(str(FILE), read_only=True) as connection:
        sql = f"{QUESTION.sql}\nlimit {int(query.get('limit', 100))}"
        result = connection.execute(sql, {name: values[name] for name in QUESTION.parameters})
        names = [column[0] for column in result.description]
        return encode([dict(zip(names, row, strict=True)) for row in result.fetchall()])


async def answer(request: Request) -> Response:
    body = await run_in_threadpool(rows, dict(request.query_params)) if request.query_params else b"ok"
    return Response(body, media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(Starlette(routes=[Route("/{path:path}", answer)]), port=int(sys.argv[1]), log_level="error")

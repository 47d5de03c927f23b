"""What platforms share beyond the matrix: files that are not whole, jobs that fail, refusals, where a click leads."""

from __future__ import annotations

import gzip
import json
import zipfile

import pytest
from fixtures.example_platform import PLATFORM
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from vendors.base import serving
from vendors.example import Example, error

from connectors.credentials import load
from connectors.errors import Refused, VendorError
from connectors.http import Api
from connectors.links import destination

WHOLE = gzip.compress(json.dumps([{"n": number} for number in range(50_000)]).encode())


class Files(Example):
    """Example Ads, with files and jobs."""

    body = b""
    states = ("WAITING", "DONE")

    def routes(self) -> list[Route]:
        self.left = iter(self.states)
        job = Route("/v1/job", lambda request: JSONResponse({"job": {"state": next(self.left), "why": "no memory"}}))
        return [Route("/download", lambda request: Response(self.body)), job, Route("/v1/no", self.no)]

    async def no(self, request: Request) -> Response:
        return error(403, "forbidden", f"{self.access_token} may not")


@pytest.fixture
def api(monkeypatch):
    with serving(Files()) as files:
        monkeypatch.setenv("TRIBUTARY_EXAMPLE_URL", files.url)
        monkeypatch.setenv("TRIBUTARY_EXAMPLE_ACCESS_TOKEN", files.access_token)
        with Api(PLATFORM, load(PLATFORM), clock=files.clock) as opened:
            opened.files = files
            yield opened


def test_a_whole_file_is_unpacked(api):
    api.files.body = WHOLE
    assert [item["n"] for item in api.items(f"{api.files.url}/download", "item")] == list(range(50_000))


@pytest.mark.parametrize("body", [WHOLE[: len(WHOLE) // 2], WHOLE[:5000] + b"\0" * 50 + WHOLE[5050:],
                                  gzip.decompress(WHOLE)[:-20]])  # fmt: skip
def test_a_file_that_is_not_whole_is_an_error(api, body):
    api.files.body = body
    with pytest.raises(VendorError, match="Example Ads: the file is not whole"):
        list(api.items(f"{api.files.url}/download", "item"))


def test_a_zip_that_is_none_is_an_error(api):
    api.files.body = b"<html>"
    with pytest.raises(VendorError, match="not whole"), api.download(f"{api.files.url}/download") as file:
        zipfile.ZipFile(file)


def test_a_job_is_waited_for_and_one_that_failed_says_why(api):
    how = {"status": "job.state", "done": "DONE", "failed": ("FAILED",), "reason": "job.why", "every": 5, "limit": 60}
    assert api.job(lambda: api.get("/job"), "the report", **how)["job"]["state"] == "DONE"
    assert api.clock.slept == [5]
    api.files.left = iter(["FAILED"])
    with pytest.raises(VendorError, match=r"Example Ads: the report ended as `FAILED` \(no memory\): pull again"):
        api.job(lambda: api.get("/job"), "the report", **how)
    api.files.left = iter(["WAITING"] * 100)
    with pytest.raises(VendorError, match="the report was not ready after 1 minutes"):
        api.job(lambda: api.get("/job"), "the report", **how)


def test_a_refusal_says_who_refused_what_and_why_without_secrets(api):
    with pytest.raises(Refused, match=r"^Example Ads refused /v1/no: \*\*\* may not \(forbidden\)$"):
        api.get("/no")


@pytest.mark.parametrize(
    ("url", "added", "leads_to"),
    [
        (None, {"parameters": "a=1"}, None),
        ("https://shop.example/", {}, "https://shop.example/"),
        ("https://shop.example/?a=1#top", {"parameters": "b={id}"}, "https://shop.example/?a=1&b={id}#top"),
        ("https://shop.example/", {"template": "{lpurl}?b={id}", "parameters": "c=2"},
         "https://shop.example/?b={id}&c=2"),
        ("https://shop.example/?a=1", {"template": "{lpurl}?b=2"}, "https://shop.example/?a=1&b=2"),
        ("https://shop.example/", {"template": "https://to.example/?url={lpurl}"}, "https://shop.example/"),
    ],
)  # fmt: skip
def test_where_a_click_leads(url, added, leads_to):
    assert destination(url, **added) == leads_to

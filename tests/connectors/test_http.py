"""What platforms share beyond the matrix: files that are not whole, jobs that fail, refusals, where a click leads."""

from __future__ import annotations

import gzip
import json
import zipfile

import pytest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.ads import PLATFORMS
from connectors.auth.credentials import load
from connectors.http.client import Api
from connectors.http.errors import Refused, VendorError
from connectors.links import destination
from tests.fixtures.example_platform import PLATFORM
from tests.support.vendors.base import FakeClock, serving
from tests.support.vendors.example import Example, error

WHOLE = gzip.compress(json.dumps([{"n": number} for number in range(50_000)]).encode())


class Files(Example):
    """Example Ads, with files and jobs."""

    body, headers = b"", {}
    states = ("WAITING", "DONE")

    def routes(self) -> list[Route]:
        self.left, self.answers = iter(self.states), []
        job = Route("/v1/job", lambda request: JSONResponse({"job": {"state": next(self.left), "why": "no memory"}}))
        answers = Route("/v1/answer", lambda request: self.answers.pop(0))
        return [Route("/download", lambda request: Response(self.body, headers=self.headers)), job, answers]


@pytest.fixture
def api(monkeypatch):
    with serving(Files()) as files:
        monkeypatch.setenv("TRIBUTARY_EXAMPLE_URL", files.url)
        monkeypatch.setenv("TRIBUTARY_EXAMPLE_ACCESS_TOKEN", files.access_token)
        with Api(PLATFORM, load(PLATFORM), clock=files.clock) as opened:
            opened.files = files
            yield opened


@pytest.fixture
def said(api):
    api.say = (heard := []).append
    return heard


def test_a_whole_file_is_unpacked(api):
    api.files.body = WHOLE
    assert [item["n"] for item in api.items(f"{api.files.url}/download", "item")] == list(range(50_000))


@pytest.mark.parametrize(
    "body", [WHOLE[: len(WHOLE) // 2], WHOLE[:5000] + b"\0" * 50 + WHOLE[5050:], gzip.decompress(WHOLE)[:-20]]
)
def test_a_file_that_is_not_whole_is_an_error(api, body):
    api.files.body = body
    with pytest.raises(VendorError, match="Example Ads: the file is not whole"):
        list(api.items(f"{api.files.url}/download", "item"))


@pytest.mark.parametrize(("prefix", "good"), [("item", b"[]"), ("data.item", b'{"data": []}')])
def test_an_error_in_a_good_answer_is_no_empty_list(api, prefix, good):
    api.files.body = good
    assert list(api.items(f"{api.files.url}/download", prefix)) == []
    for bad in b'{"error": {"code": 500}}', gzip.compress(b'{"data": {"error": "none"}}'):
        api.files.body = bad
        with pytest.raises(VendorError, match="is no list: nothing was stored"):
            list(api.items(f"{api.files.url}/download", prefix))


def test_an_answer_that_does_not_unpack_is_tried_again_and_given_up_with_a_sentence(api):
    api.files.body, api.files.headers = b"no gzip", {"content-encoding": "gzip"}
    with pytest.raises(VendorError, match=r"no answer from .* \(DecodingError\)"):
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
    api.files.answers = [error(403, "forbidden", f"{api.files.access_token} may not")]
    with pytest.raises(Refused, match=r"^Example Ads refused /v1/answer: \*\*\* may not \(forbidden\)$"):
        api.get("/answer")


def test_a_refusal_that_is_cut_short_holds_no_half_of_a_secret(api):
    api.files.answers = [Response(f"{'sorry ' * 49}{api.files.access_token}", 403)]
    with pytest.raises(Refused, match=r"sorry \.\.\. \(403\)$"):
        api.get("/answer")


def test_what_is_said_while_waiting_holds_no_secret(api, said):
    api.files.answers = [error(503, "too_many_requests", f"{api.files.access_token} asks too often")] * 8
    with pytest.raises(VendorError, match=r"\*\*\* asks too often; gave up"):
        api.get("/answer")
    assert len(said) == 7
    assert api.files.access_token not in " ".join(said)


@pytest.mark.parametrize("when", ["Fri, 20 Nov 2026 12:05:00 GMT", "Fri, 20 Nov 2026 12:05:00 -0000", "300"])
def test_retry_after_is_seconds_or_a_time(api, when):
    api.files.answers = [Response("", 503, {"retry-after": when}), JSONResponse({"n": 1})]
    assert api.get("/answer") == {"n": 1}
    assert api.clock.slept == [300]


def test_rests_without_end_have_an_end(api):
    api.files.answers = [Response("", 429, {"retry-after": "3500"}), JSONResponse({})] * 7
    for _ in range(6):
        api.get("/answer")
    with pytest.raises(VendorError, match="7 hours of rest in all: pull again later"):
        api.get("/answer")


@pytest.mark.parametrize(
    "address", ["https://stranger.example/v1", "http://api.ads.example/v1", "https://api.ads.example.org"]
)
def test_credentials_go_to_the_platform_alone(api, address):
    with pytest.raises(VendorError, match=r"not the platform's own: credentials do not go there"):
        api.get(f"{address}/answer")
    api.files.answers = [JSONResponse({})]
    assert api.get(f"{api.files.url}/v1/answer") == {}  # TRIBUTARY_EXAMPLE_URL is


def test_half_an_emoji_in_a_name_costs_no_more_than_itself(api):
    body = rb'{"cut": "sale \ud83d", "also": "\ude00!", "whole": "\ud83d\ude00"}'
    api.files.answers = [Response(body, media_type="application/json")]
    assert api.get("/answer") == {"cut": "sale \ufffd", "also": "\ufffd!", "whole": "😀"}


@pytest.mark.parametrize(
    ("url", "added", "leads_to"),
    [
        (None, {"parameters": "a=1"}, None),
        ("https://shop.example/", {}, "https://shop.example/"),
        ("https://shop.example/?a=1#top", {"parameters": "b={id}"}, "https://shop.example/?a=1&b={id}#top"),
        (
            "https://shop.example/",
            {"template": "{lpurl}?b={id}", "parameters": "c=2"},
            "https://shop.example/?b={id}&c=2",
        ),
        ("https://shop.example/?a=1", {"template": "{lpurl}?b=2"}, "https://shop.example/?a=1&b=2"),
        ("https://shop.example/", {"template": "https://to.example/?url={lpurl}"}, "https://shop.example/"),
    ],
)
def test_where_a_click_leads(url, added, leads_to):
    assert destination(url, **added) == leads_to


def test_where_there_is_no_network_one_hears_of_it_soon(monkeypatch):
    monkeypatch.setenv("TRIBUTARY_META_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("TRIBUTARY_META_ACCESS_TOKEN", "access-1")
    clock = FakeClock()
    with Api(meta := PLATFORMS["meta"], load(meta), clock=clock) as api, pytest.raises(VendorError, match="network"):
        api.get("/v1/anything")
    assert sum(clock.slept) < 20

"""The shared HTTP client: incomplete files, failed jobs, rejections, waits, and destination URLs."""

from __future__ import annotations

import gzip
import json
import socket
import zipfile

import pytest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.ads import PLATFORMS
from connectors.auth.credentials import load
from connectors.destination_url import destination_url
from connectors.http.client import PlatformClient
from connectors.http.errors import Rejected, VendorError
from tests.fixtures.example_platform import PLATFORM
from tests.support.vendors.base import FakeClock, serving
from tests.support.vendors.example import Example, error

WHOLE = gzip.compress(json.dumps([{"n": number} for number in range(50_000)]).encode())


class Files(Example):
    """Example Ads with files and jobs."""

    body, headers, location = b"", {}, ""
    states = ("WAITING", "DONE")

    def routes(self) -> list[Route]:
        self.left, self.responses = iter(self.states), []
        job = Route("/v1/job", lambda request: JSONResponse({"job": {"state": next(self.left), "why": "no memory"}}))
        row = Route("/v1/row", lambda request: self.responses.pop(0))
        moved = Route("/download/moved", lambda request: Response("", 302, {"location": self.location}))
        return [Route("/download", lambda request: Response(self.body, headers=self.headers)), moved, job, row]


@pytest.fixture
def client(monkeypatch):
    with serving(Files()) as files:
        monkeypatch.setenv("TRIBUTARY_EXAMPLE_URL", files.url)
        monkeypatch.setenv("TRIBUTARY_EXAMPLE_ACCESS_TOKEN", files.access_token)
        logged: list[str] = []
        with PlatformClient(PLATFORM, load(PLATFORM), clock=files.clock, log=logged.append) as opened:
            opened.files, opened.logged = files, logged
            yield opened


def test_gzip_file_is_decompressed(client):
    client.files.body = WHOLE
    assert [item["n"] for item in client.items(f"{client.files.url}/download", "item")] == list(range(50_000))


@pytest.mark.parametrize(
    "body", [WHOLE[: len(WHOLE) // 2], WHOLE[:5000] + b"\0" * 50 + WHOLE[5050:], gzip.decompress(WHOLE)[:-20]]
)
def test_incomplete_file_is_an_error(client, body):
    client.files.body = body
    with pytest.raises(VendorError, match="Example Ads: the file is incomplete or damaged"):
        list(client.items(f"{client.files.url}/download", "item"))


@pytest.mark.parametrize(("prefix", "good"), [("item", b"[]"), ("data.item", b'{"data": []}')])
def test_error_in_a_successful_response_is_not_an_empty_list(client, prefix, good):
    client.files.body = good
    assert list(client.items(f"{client.files.url}/download", prefix)) == []
    for bad in b'{"error": {"code": 500}}', gzip.compress(b'{"data": {"error": "none"}}'):
        client.files.body = bad
        with pytest.raises(VendorError, match=r"is not a list\. Nothing was stored"):
            list(client.items(f"{client.files.url}/download", prefix))


def test_response_that_cannot_be_decoded_is_retried_and_then_an_error(client):
    client.files.body, client.files.headers = b"no gzip", {"content-encoding": "gzip"}
    with pytest.raises(VendorError, match=r"no response from .* \(DecodingError\)"):
        list(client.items(f"{client.files.url}/download", "item"))


def test_invalid_zip_is_an_error(client):
    client.files.body = b"<html>"
    with (
        pytest.raises(VendorError, match="incomplete or damaged"),
        client.download(f"{client.files.url}/download") as file,
    ):
        zipfile.ZipFile(file)


def test_client_waits_for_a_job_and_names_why_it_failed(client):
    members = {"status": "job.state", "done": "DONE", "failed": ("FAILED",), "reason": ("job.why",)}
    options = {**members, "interval": 5, "timeout": 60}
    assert client.wait_for_job(lambda: client.get("/job"), "the report", **options)["job"]["state"] == "DONE"
    assert client.clock.slept == [5]
    client.files.left = iter(["FAILED"])
    with pytest.raises(VendorError, match=r"Example Ads: the report ended with status `FAILED` \(no memory\)"):
        client.wait_for_job(lambda: client.get("/job"), "the report", **options)
    client.files.left = iter(["WAITING"] * 100)
    with pytest.raises(VendorError, match="the report was not ready after 1 minutes"):
        client.wait_for_job(lambda: client.get("/job"), "the report", **options)


def test_rejection_names_platform_path_and_reason_without_secrets(client):
    client.files.responses = [error(403, "forbidden", f"{client.files.access_token} may not")]
    with pytest.raises(Rejected, match=r"^Example Ads rejected /v1/row: \*\*\* may not \(forbidden\)$"):
        client.get("/row")


def test_shortened_rejection_contains_no_part_of_a_secret(client):
    client.files.responses = [Response(f"{'sorry ' * 49}{client.files.access_token}", 403)]
    with pytest.raises(Rejected, match=r"sorry \.\.\. \(403\)$"):
        client.get("/row")


def test_progress_messages_contain_no_secret(client):
    client.files.responses = [error(503, "too_many_requests", f"{client.files.access_token} asks too often")] * 8
    with pytest.raises(VendorError, match=r"\*\*\* asks too often; gave up"):
        client.get("/row")
    assert len(client.logged) == 7
    assert client.files.access_token not in " ".join(client.logged)


def test_page_of_a_gateway_is_requested_again(client):
    page = Response("<html>back soon", media_type="text/html")
    client.files.responses = [page, JSONResponse({"n": 1})]
    assert client.get("/row") == {"n": 1}
    client.files.responses = [page] * 8
    with pytest.raises(VendorError, match=r"responded 200 with text/html.* instead of JSON \(check TRIBUTARY_<PLATFO"):
        client.get("/row")


@pytest.mark.parametrize("when", ["Fri, 20 Nov 2026 12:05:00 GMT", "Fri, 20 Nov 2026 12:05:00 -0000", "300"])
def test_retry_after_states_seconds_or_a_time(client, when):
    client.files.responses = [Response("", 503, {"retry-after": when}), JSONResponse({"n": 1})]
    assert client.get("/row") == {"n": 1}
    assert client.clock.slept == [300]


def test_total_waiting_time_is_limited(client):
    client.files.responses = [Response("", 429, {"retry-after": "3500"}), JSONResponse({})] * 7
    for _ in range(6):
        client.get("/row")
    with pytest.raises(VendorError, match=r"asked to wait 7 hours in total\. Pull again later"):
        client.get("/row")


@pytest.mark.parametrize(
    "address", ["https://stranger.example/v1", "http://api.ads.example/v1", "https://api.ads.example.org"]
)
def test_credentials_are_sent_to_the_platforms_hosts_only(client, address):
    with pytest.raises(VendorError, match=r"is not a host of Example Ads\. Tributary sends no credentials there"):
        client.get(f"{address}/row")
    client.files.responses = [JSONResponse({})]
    assert client.get(f"{client.files.url}/v1/row") == {}  # TRIBUTARY_EXAMPLE_URL is


INTERNAL = [
    "https://127.0.0.1/report",
    "https://localhost/report",
    "https://2130706433/report",  # 127.0.0.1 as one number
    "https://0x7f.1/report",
    "https://[::1]/report",
    "https://[::ffff:10.0.0.1]/report",
    "https://169.254.169.254/latest/meta-data/",  # credentials of a machine in a cloud
    "https://10.1.2.3/report",
    "https://192.168.0.1/report",
    "https://100.64.0.1/report",
    "https://[fd00::1]/report",
    "https://0.0.0.0/report",
]


@pytest.mark.parametrize("address", INTERNAL)
def test_a_link_or_a_redirect_to_an_internal_address_is_refused(client, address):
    with pytest.raises(VendorError, match=r"which is an internal address \(.*\)\. Tributary reads nothing there"):
        list(client.items(address, "item"))
    client.files.location = address
    with pytest.raises(VendorError, match="which is an internal address"):
        list(client.items(f"{client.files.url}/download/moved", "item"))
    assert client.clock.slept == []


def test_a_redirect_to_another_port_of_this_machine_or_to_http_is_refused(client):
    """TRIBUTARY_EXAMPLE_URL allows its own port only."""
    client.files.location = "http://127.0.0.1:1/admin"
    with pytest.raises(VendorError, match="which is not an https address"):
        list(client.items(f"{client.files.url}/download/moved", "item"))


def test_a_name_with_an_internal_address_is_refused(client, monkeypatch):
    place = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 443))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [place])
    with pytest.raises(VendorError, match=r"https://files\.example, which is an internal address \(10\.0\.0\.7\)"):
        list(client.items("https://files.example/report", "item"))


def test_half_a_surrogate_pair_becomes_a_replacement_character(client):
    body = rb'{"cut": "sale \ud83d", "also": "\ude00!", "whole": "\ud83d\ude00"}'
    client.files.responses = [Response(body, media_type="application/json")]
    assert client.get("/row") == {"cut": "sale \ufffd", "also": "\ufffd!", "whole": "😀"}


@pytest.mark.parametrize(
    ("url", "added", "expected"),
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
def test_destination_url_has_template_and_parameters(url, added, expected):
    assert destination_url(url, **added) == expected


def test_missing_network_is_reported_soon(monkeypatch):
    monkeypatch.setenv("TRIBUTARY_META_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("TRIBUTARY_META_ACCESS_TOKEN", "access-1")
    clock = FakeClock()
    with (
        PlatformClient(meta := PLATFORMS["meta"], load(meta), clock=clock) as client,
        pytest.raises(VendorError, match="network"),
    ):
        client.get("/v1/anything")
    assert sum(clock.slept) < 20

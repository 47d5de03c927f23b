"""Attack Dagster's UI as web pages of other sites do, and use it as its own pages do, on a real server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple
from urllib.parse import quote

import dagster as dg
import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from cli.ui import warn_of_public_ui
from ingestion.home import Home
from orchestration.instance import open_instance
from tests.support.home import CHROMIUM, COMMAND, needs_chromium
from tests.support.ports import free_port
from tests.support.waiting import wait_until

RUN = "11111111-1111-4111-8111-111111111111"
VERSION = "{ version }"
DELETE = f'mutation {{ deletePipelineRun(runId: "{RUN}") {{ __typename }} }}'
SUBSCRIBE = f'subscription {{ pipelineRunLogs(runId: "{RUN}") {{ __typename }} }}'
EVIL = "http://evil.example"


class Server(NamedTuple):
    home: Home
    port: int
    output: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def post(self, query: str, **headers: str) -> httpx.Response:
        return httpx.post(f"{self.url}/graphql", json={"query": query}, headers=headers, timeout=60)

    def subscribe(self, host: str = "127.0.0.1", **options: str) -> ClientConnection:
        url = f"ws://{host}:{self.port}/graphql"
        return connect(url, subprotocols=[Subprotocol("graphql-ws")], sock=None, **options)

    def runs(self) -> list[str]:
        with open_instance(self.home) as instance:
            return list(instance.get_run_ids())


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    """Dagster's UI without code, on a history with one run, under the further name `dagster.example`."""
    folder = tmp_path_factory.mktemp("ui")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY"):
            patch.setenv(name, "")
        patch.setenv("TRIBUTARY_HOME", str(folder / "home"))
        home = Home.from_environment()
        with open_instance(home) as instance:
            instance.run_storage.add_run(dg.DagsterRun("build", RUN, status=dg.DagsterRunStatus.SUCCESS))
            instance.report_engine_event("a message of the run", instance.get_run_by_id(RUN))
        (folder / "workspace.yaml").write_text("load_from: []\n")
        port = free_port()
        command = [COMMAND, "ui", "--port", str(port), "--workspace", folder / "workspace.yaml"]
        with (folder / "output").open("w") as output:
            process = subprocess.Popen(
                [*command, "--name", "dagster.example"], env=os.environ, stdout=output, stderr=subprocess.STDOUT
            )
        running = Server(home, port, folder / "output")

        def is_ready() -> bool:
            assert process.poll() is None, running.output.read_text()
            try:
                return running.post(VERSION).status_code == 200
            except httpx.TransportError:
                return False

        try:
            wait_until(is_ready, "Dagster's UI answers")
            yield running
        finally:
            process.terminate()
            assert process.wait(30) in (0, -15)


def test_requests_of_other_pages_are_refused(server):
    get = f"/graphql?query={quote(DELETE)}"
    own = {"Host": f"127.0.0.1:{server.port}"}
    image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    frame = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    as_json, body = {"Content-Type": "application/json"}, json.dumps({"query": DELETE})
    attacks = [
        # an image, an old browser's image, a link
        ("GET", get, image, "", 403),
        ("GET", get, {}, "", 405),
        (
            "GET",
            get,
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
            "",
            405,
        ),
        ("HEAD", get, {}, "", 405),
        # DNS rebinding: the attacker's name leads to 127.0.0.1
        ("GET", "/", {"Host": "evil.example"}, "", 403),
        ("POST", "/graphql", as_json | {"Host": f"evil.example:{server.port}"}, body, 403),
        ("POST", "/graphql", as_json | {"Host": "127.0.0.1.evil.example"}, body, 403),
        ("POST", "/graphql", as_json | {"Host": "192.0.2.1"}, body, 403),
        # forms and scripts
        ("POST", "/graphql", as_json | {"Origin": EVIL}, body, 403),
        ("POST", "/graphql", as_json | {"Origin": "null"}, body, 403),
        ("POST", "/graphql", as_json | {"Origin": "http://127.0.0.1:8700"}, body, 403),
        ("POST", "/graphql", as_json | {"Origin": f"http://127.0.0.1:{server.port}.evil.example"}, body, 403),
        ("POST", get, {"Content-Type": "text/plain"}, "", 415),
        ("POST", get, {"Content-Type": "text/plain; charset=application/json"}, body, 415),
        ("POST", get, {"Content-Type": "application/x-www-form-urlencoded"}, "", 415),
        ("POST", get, {}, "", 415),
        ("POST", "/report_asset_materialization/marts/touchpoints", {"Origin": EVIL}, "", 403),
        ("GET", f"/download_debug/{RUN}", image, "", 403),
        ("GET", "/runs", frame, "", 403),
    ]
    with httpx.Client(base_url=server.url, timeout=60) as client:
        for method, path, headers, content, status in attacks:
            answer = client.request(method, path, headers=own | {"Accept": "*/*"} | headers, content=content)
            assert answer.status_code == status, (method, path, headers, answer.text)
            assert method == "HEAD" or answer.text.count(".") >= 1, "a refusal is a sentence"
    assert server.runs() == [RUN]


def test_websockets_of_other_pages_are_refused(server):
    for options in ({"origin": EVIL}, {"origin": "null"}, {"origin": "http://localhost:8700"}):
        with pytest.raises(InvalidStatus, match="403"):
            server.subscribe(**options)
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://127.0.0.1:{server.port}/graphql", additional_headers={"Host": "evil.example"})


def test_the_ui_and_programs_are_served(server):
    own = f"http://localhost:{server.port}"
    for headers in (
        {},
        {"Host": f"localhost:{server.port}", "Origin": own, "Sec-Fetch-Site": "same-origin"},
        {"Host": "dagster.example", "Origin": "https://dagster.example"},
        {"Host": f"127.0.0.1:{server.port}", "Origin": "https://dagster.example"},  # a proxy that replaces the host
    ):
        assert "version" in server.post(VERSION, **headers).json()["data"], headers
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert httpx.get(f"{server.url}/runs", headers=link, timeout=60).status_code == 200
    page = httpx.get(f"{server.url}/graphql", headers={"Accept": "text/html"}, timeout=60)
    assert "graphiql" in page.text
    with server.subscribe(origin=server.url) as socket:
        socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(socket.recv(30))["type"] == "connection_ack"
        socket.send(json.dumps({"id": "1", "type": "start", "payload": {"query": SUBSCRIBE}}))
        assert json.loads(socket.recv(30))["payload"]["data"]["pipelineRunLogs"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        rules = "MAP evil.example 127.0.0.1"
        yield playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", f"--host-resolver-rules={rules}"]
        )


ATTACK = """
async ([url, query]) => {
    const get = url + '/graphql?query=' + encodeURIComponent(query)
    const image = new Promise(done => { const i = new Image(); i.onload = i.onerror = done; i.src = get })
    const text = fetch(get, {method: 'POST', mode: 'no-cors', headers: {'Content-Type': 'text/plain'}})
    const beacon = navigator.sendBeacon(get)
    const preflight = fetch(url + '/graphql', {
        method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({query})
    }).then(() => 'answered', () => 'failed')
    const socket = new Promise(done => {
        const s = new WebSocket(url.replace('http', 'ws') + '/graphql', 'graphql-ws')
        s.onopen = () => done('open'); s.onerror = () => done('failed')
    })
    await image
    await text
    return [await preflight, await socket]
}
"""


@needs_chromium
def test_a_page_of_another_site_cannot_delete_a_run(server, browser):
    page = browser.new_page()
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as attacker:
        Thread(target=attacker.serve_forever, daemon=True).start()
        page.goto(f"http://attacker.localhost:{attacker.server_port}/no-such-page")
        assert page.evaluate(ATTACK, [server.url, DELETE]) == ["failed", "failed"]
        attacker.shutdown()
    rebound = page.goto(f"http://evil.example:{server.port}/")
    assert rebound.status == 403
    page.close()
    assert server.runs() == [RUN]


@needs_chromium
def test_the_run_page_shows_events_from_its_websocket(server, browser):
    page = browser.new_page()
    frames: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))))
    page.goto(f"{server.url}/runs/{RUN}")
    page.get_by_text("a message of the run").first.wait_for()
    assert any("pipelineRunLogs" in frame for frame in frames)
    page.close()


def test_only_a_public_address_gets_a_warning(capsys):
    for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost"):
        warn_of_public_ui(host)
        assert capsys.readouterr().out == ""
    for host in ("0.0.0.0", "::", "192.0.2.1", "dagster.example"):
        warn_of_public_ui(host)
        assert f"WARNING: Dagster has no log-in. Everybody who reaches {host} can" in capsys.readouterr().out


def test_the_ui_itself_deletes_a_run(server):
    """The same mutation works from the UI's own page, so that the attacks failed because they were refused."""
    answer = server.post(DELETE, Origin=server.url)
    assert answer.json()["data"]["deletePipelineRun"]["__typename"] == "DeletePipelineRunSuccess"
    assert server.runs() == []

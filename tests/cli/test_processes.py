"""`tributary dev` ends with all of its processes, in a terminal, by each signal, and if one of them ends by itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from cli import guard
from tests.support.home import COMMAND, ROOT, tributary
from tests.support.ports import free_port
from tests.support.terminal import Terminal

# A server that shows a stack trace when it is interrupted, as Dagster does; a child process of its own; a clean server.
TRACING = """
import signal, subprocess, sys, time
def interrupt(*_):
    raise RuntimeError("interrupted in the middle of an import")
signal.signal(signal.SIGTERM, interrupt)
subprocess.Popen(["sleep", "300"])
print("tracing is up", flush=True)
time.sleep(300)
"""
CLEAN = """
import signal, sys, time
def stop(*_):
    print("clean has stopped", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
open("socket", "w").close()
print("clean is up", flush=True)
time.sleep(300)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("stubborn is up", flush=True)
time.sleep(300)
"""
FAILING = """
import sys, time
time.sleep(1)
sys.exit("the disk is full")
"""
MAIN = """
import os, sys
from pathlib import Path
from cli.processes import run_all as run
commands = [{{name: [sys.executable, "-c", code] for name, code in group.items()}} for group in {groups}]
folder = Path({folder!r})
environment = dict(os.environ)
sys.exit(run(commands[0], folder / "socket", commands[1], folder=folder, environment=environment, quiet=["Tracing"]))
"""


@pytest.fixture
def start(tmp_path) -> Iterator:
    """Return a function that runs servers and clients in a terminal, as `tributary dev` does."""
    started = []

    def run(servers: dict[str, str], clients: dict[str, str]) -> Terminal:
        program = MAIN.format(groups=[servers, clients], folder=str(tmp_path))
        started.append(Terminal([sys.executable, "-c", program], {"PYTHONPATH": str(ROOT)}))
        return started[-1]

    yield run
    for terminal in started:
        terminal.kill()


def test_ctrl_c_stops_all_with_one_line_and_no_stack_trace(start):
    terminal = start({"Clean": CLEAN}, {"Tracing": TRACING})
    terminal.wait_for("clean is up", "tracing is up")
    terminal.press_ctrl_c()
    assert terminal.exit_code(10) == 0
    lines = terminal.text.replace("^C", "").split("\r\n")
    assert lines[2:] == [
        "Stopping everything. This takes a few seconds; a second Ctrl-C kills it.",
        "clean has stopped",
        "",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_all(start, number):
    terminal = start({"Clean": CLEAN}, {"Tracing": TRACING})
    terminal.wait_for("clean is up", "tracing is up")
    os.kill(terminal.pid, number)
    assert terminal.exit_code(10) == 0
    assert "Traceback" not in terminal.text


def test_a_closed_terminal_stops_all(start):
    terminal = start({"Clean": CLEAN}, {"Tracing": TRACING})
    terminal.wait_for("clean is up", "tracing is up")
    os.close(terminal.terminal)
    terminal.exit_code(10)


def test_a_second_ctrl_c_kills_what_does_not_stop(start):
    terminal = start({"Clean": CLEAN}, {"Stubborn": STUBBORN})
    terminal.wait_for("clean is up", "stubborn is up")
    terminal.press_ctrl_c()
    terminal.wait_for("clean has stopped")
    terminal.press_ctrl_c()
    assert terminal.exit_code(5) == 1
    assert "error: Stubborn: killed, because it did not stop in time." in terminal.text


def test_the_end_of_one_stops_the_rest_and_is_named(start):
    terminal = start({"Clean": CLEAN, "The dashboard": FAILING}, {"Tracing": TRACING})
    assert terminal.exit_code(30) == 1
    assert "the disk is full\r\n" in terminal.text
    assert (
        "error: The dashboard ended with exit code 1. Its last lines are above: correct their cause, then start again. "
        "Stopping the rest." in terminal.text
    )
    assert "Traceback" not in terminal.text


def test_a_killed_process_is_named_with_its_signal(start):
    terminal = start({"Clean": CLEAN}, {"Tracing": TRACING})
    terminal.wait_for("tracing is up")
    (killed,) = (
        pid for pid, code in terminal.left().items() if code.startswith(f"{sys.executable}\0-c\0\nimport signal, sub")
    )
    os.kill(killed, signal.SIGKILL)
    assert terminal.exit_code(10) == 1
    assert "error: Tracing was ended by signal SIGKILL. Does the machine have enough memory?" in terminal.text


def test_the_children_end_when_their_parent_is_killed(start):
    terminal = start({"Clean": CLEAN}, {"Tracing": TRACING})
    terminal.wait_for("clean is up", "tracing is up")
    os.kill(terminal.pid, signal.SIGKILL)
    assert terminal.exit_code() == -signal.SIGKILL


def test_the_guard_kills_a_child_that_does_not_end():
    command = [sys.executable, "-c", STUBBORN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as child:
        assert child.stdout.readline() == b"stubborn is up\n"
        subprocess.run([sys.executable, guard.__file__, "0.5"], input=b"%d\n" % child.pid, timeout=60, check=True)
        assert child.wait(60) == -signal.SIGKILL


def test_each_taken_port_is_named_with_its_option(tmp_path):
    ports = [free_port() for _ in range(2)]
    with socket.create_server(("127.0.0.1", ports[0])), socket.create_server(("127.0.0.1", ports[1])):
        started = time.monotonic()
        done = tributary(
            tmp_path,
            "dev",
            *("--collector-port", ports[0], "--dashboard-port", ports[1], "--port", ports[1]),
            code=2,
        )
        assert time.monotonic() - started < 30
    assert f"the collector: Another program uses port {ports[0]} of 127.0.0.1. Stop it, or use" in done.stderr
    assert f"--collector-port {ports[0] + 1}" in done.stderr
    assert f"the dashboard: --port has port {ports[1]}, too." in done.stderr
    assert "Starting" not in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_dashboard_with_success(tmp_path, number):
    command = [COMMAND, "serve", "--port", str(free_port())]
    environment = {**os.environ, "TRIBUTARY_HOME": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert b"Ctrl-C stops." in process.stdout.readline()
        time.sleep(1)
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stdout.read() == b""

"""The address on this machine to which a browser is redirected. In: the redirect URI. Out: the address it asked for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from connectors.http.errors import VendorError

LOOPBACK = ("127.0.0.1", "localhost")
# The code leaves the address bar, and with it the browser's history.
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Tributary</title>'
    '<body style="font: 1.2rem system-ui; margin: 4rem auto; max-width: 32rem"><p>{}</p>'
    "<script>history.replaceState(null, '', '/')</script>"
)


def is_loopback(redirect_uri: str) -> bool:
    parts = urlsplit(redirect_uri)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


@contextmanager
def listening(redirect_uri: str, is_answer: Callable[[str], bool]) -> Iterator[Callable[[float], str]]:
    """Listen at the redirect URI; what is given waits so many seconds at most for the address for which `is_answer`.

    Whatever else a browser or a stranger asks for gets no further. OSError where the port is taken.
    """
    expected = urlsplit(redirect_uri)
    port = expected.port or 80
    answers: queue.Queue[str] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds: browsers open connections that they never use

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            address = f"{redirect_uri}?{asked.query}"
            if asked.path != expected.path:
                self.say(404, "There is nothing here.")
            elif is_answer(address):
                self.say(200, "Tributary has its answer. Close this page and go back to the terminal.")
                answers.put(address)
            else:
                self.say(
                    400,
                    "This page answers another request than the one that Tributary waits for. "
                    "Use the page that the command opened last.",
                )

        def say(self, status: int, sentence: str) -> None:
            body = PAGE.format(sentence).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "text/html; charset=utf-8",
                "Content-Length": str(len(body)),
                "Referrer-Policy": "no-referrer",
                "Cache-Control": "no-store",
                "Connection": "close",
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the code is in the address."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise OSError(
            f"port {port} cannot be used ({error.strerror}): end what uses it, or choose another with --port "
            "and register its address with the platform, or use --paste"
        ) from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()

    def wait(seconds: float) -> str:
        try:
            return answers.get(timeout=seconds)
        except queue.Empty:
            raise VendorError(
                f"no answer came to {redirect_uri} within {seconds / 60:.0f} minutes: try again, or use --paste"
            ) from None

    try:
        yield wait
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

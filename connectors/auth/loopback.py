"""A local web server that receives the redirect of an authorization flow.

In: the redirect URI on this machine. Out: the address that the browser requested.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from connectors.http.errors import VendorError

LOOPBACK = ("127.0.0.1", "localhost")
# The script removes the code from the address bar, and so from the browser's history.
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Tributary</title>'
    '<body style="font: 1.2rem system-ui; margin: 4rem auto; max-width: 32rem"><p>{}</p>'
    "<script>history.replaceState(null, '', '/')</script>"
)


def is_loopback(redirect_uri: str) -> bool:
    """Return whether the redirect URI is on this machine."""
    parts = urlsplit(redirect_uri)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


@contextmanager
def listening(redirect_uri: str, is_response: Callable[[str], bool]) -> Iterator[Callable[[float], str]]:
    """Listen at the redirect URI. Yield a function that waits so many seconds for an address that `is_response`.

    The server rejects all other requests. Raise OSError if the port is taken.
    """
    expected = urlsplit(redirect_uri)
    port = expected.port or 80
    responses: queue.Queue[str] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds: browsers open connections that they never use

        def do_GET(self) -> None:
            requested = urlsplit(self.path)
            address = f"{redirect_uri}?{requested.query}"
            if requested.path != expected.path:
                self.send_page(404, "This page does not exist.")
            elif is_response(address):
                self.send_page(200, "Tributary is connected. Close this page and go back to the terminal.")
                responses.put(address)
            else:
                self.send_page(
                    400,
                    "This page belongs to another request than the one that Tributary waits for. "
                    "Use the page that the command opened last.",
                )

        def send_page(self, status: int, sentence: str) -> None:
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
            """Log nothing: the address contains the code."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise OSError(
            f"port {port} cannot be used ({error.strerror}). End the program that uses it; or choose another port with "
            "--port, and register its address with the platform; or use --paste"
        ) from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()

    def wait(seconds: float) -> str:
        try:
            return responses.get(timeout=seconds)
        except queue.Empty:
            raise VendorError(
                f"{redirect_uri} received no response within {seconds / 60:.0f} minutes. Try again, or use --paste"
            ) from None

    try:
        yield wait
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

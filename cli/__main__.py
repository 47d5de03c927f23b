"""The program `tributary`. Signals first: the import of all commands takes a fifth of a second, and Ctrl-C is fast."""

from __future__ import annotations

import locale
import os
import sys

from cli.stop import end_at_signals


def main() -> None:
    """Run the command line."""
    use_utf8()
    end_at_signals()
    from cli.app import app

    app()


def use_utf8() -> None:
    """Start this program again if Python would read files in another encoding than UTF-8, by the user's locale.

    Otherwise a locale such as en_US.ISO-8859-1 would read rules and templates wrongly, and nothing would report it.
    """
    if not sys.flags.utf8_mode and locale.getencoding().lower() != "utf-8":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


if __name__ == "__main__":
    main()

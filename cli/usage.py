"""The root of the command line: commands by task, and a sentence for words that are no command or option.

In: the words of a command line. Out: the exit code of a command; for a typo, the nearest name.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from cli.console import FAILED, error_console, print_error
from cli.stop import INTERRUPTED
from ingestion.text import nearest

NAME = "tributary"
# Each command belongs to a task. --help lists both in this order.
TASKS = {
    "Set up": ("simulate", "connect", "snippet", "check"),
    "Bring data": ("import", "pull", "collect"),
    "Run": ("run", "publish", "dev", "ui"),
    "Read": ("serve", "ask", "query", "explain", "learn", "status"),
    "Share": ("keys", "audit"),
    "Look after": ("failed", "replay", "connections", "rebuild"),
    "Persons": ("export-person", "erase"),
}


class CommandLine(TyperGroup):
    """Lists the commands by task, and prints each mistake as one sentence, as the commands do."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands in the order of TASKS."""
        names = [name for names in TASKS.values() for name in names if name in self.commands]
        return [*names, *(name for name in self.commands if name not in names)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command, with its task as the heading of help."""
        command: Any = super().get_command(ctx, cmd_name)
        for task, names in TASKS.items():
            if command is not None and cmd_name in names:
                command.rich_help_panel = task
        return command

    def main(self, *arguments: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run a command. Exit with its code."""
        try:
            code = super().main(*arguments, **{**extra, "standalone_mode": False, "prog_name": NAME}) or 0
        except TyperException as error:
            if sentence := usage_sentence(error):
                print_error(sentence)
            code = error.exit_code
        except typer.Abort:
            print_error("Stopped.")
            code = FAILED
        if code == INTERRUPTED:
            error_console.print("Stopped.")  # by a signal that no server or watcher has waited for
        if standalone_mode:
            raise SystemExit(code)
        return code


def usage_sentence(error: TyperException) -> str:
    """Return what is wrong with the words of a command line, the nearest name, and where the choices are listed.

    The sentence of a group without a command is empty: it has printed its help.
    """
    sentence, context = error.format_message(), getattr(error, "ctx", None)
    if context is None or not sentence:
        return sentence
    command = context.command
    path = context.parent.command_path if command.hidden else context.command_path
    if option := getattr(error, "option_name", None):
        known = [name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)]
        if option not in known:
            sentence = _unknown("option", option, path, [name for name in known if name.startswith("-")])
    elif sentence.startswith("No such command"):
        word = context.args[0] if context.args else sentence.split("'")[1]
        sentence = _unknown("command", word, path, [name for name, each in command.commands.items() if not each.hidden])
    elif "unexpected extra argument" in sentence:
        sentence += ". Write a value with spaces in quotes."
    return f"{sentence.rstrip('.?')}{'?' if sentence.endswith('?') else '.'} See: {path} --help"


def _unknown(what: str, word: str, path: str, known: list[str]) -> str:
    close = nearest(word, known)
    return f"`{path}` has no {what} {word}." + (f" Do you mean {close}?" if close else "")


def day(text: str | date) -> date:
    """Return the day that an option names. BadParameter if it is no day of the calendar."""
    try:
        return text if isinstance(text, date) else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day. Write one such as 2026-07-01") from None

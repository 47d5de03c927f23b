"""Print the visible sheets of a spreadsheet as CSV: sheet, row, cells. A separate program with limited memory.

In: the file as standard input. Out: for each sheet a record with row 0 and its name, then its rows that are not empty.

A cell is typed: python-calamine tells a number from a text of digits, and fastexcel does not if a column has both.
"""

from __future__ import annotations

import contextlib
import csv
import os
import resource
import signal
import sys
import threading
import time as clock
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

MEMORY = 2 * 1024**3  # bytes: a small file can describe a sheet of 17 billion cells
SECONDS = 600  # of processor time
_EXACT = 10**15  # a spreadsheet keeps 15 digits of a number


def cell_text(value: object, *, has_times: bool = False) -> str:
    """Return a cell as text: numbers as plain decimals, dates and times as ISO without a zone.

    A whole number of more than 15 digits is rounded, and becomes a power of ten. has_times: other cells of the column
    have a time of day.
    """
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case int() | float():
            if abs(value) >= _EXACT:
                return format(float(value), ".15G")
            text = format(value, ".15g")
            return format(Decimal(text), "f") if "e" in text else text
        case datetime():
            return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
        case date():
            return f"{value.isoformat()}T00:00:00" if has_times else value.isoformat()
        case time():
            return value.isoformat(timespec="seconds")
        case timedelta():
            return str(value)
    return ""


def print_sheet(number: int, name: str, sheet: CalamineSheet) -> None:
    """Print one sheet. Its columns are read twice: the first time for times of day."""
    with_times = {
        column for row in sheet.iter_rows() for column, value in enumerate(row) if isinstance(value, datetime)
    }
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([number, 0, name])
    for line, row in enumerate(sheet.iter_rows(), 1):
        cells = [cell_text(value, has_times=column in with_times) for column, value in enumerate(row)]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            writer.writerow([number, line, *cells])


def end_with_parent() -> None:
    """End this program once its parent has ended, however that happened. Nobody reads the sheets any more."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            clock.sleep(0.2)
        os._exit(1)

    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # the parent may have blocked Ctrl-C
    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Print all sheets. The exit code is 1 if the file is no readable spreadsheet."""
    end_with_parent()
    with contextlib.suppress(ValueError):  # macOS limits no address space
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="")  # type: ignore[union-attr]
    try:
        workbook = CalamineWorkbook.from_filelike(sys.stdin.buffer)
        for number, sheet in enumerate(workbook.sheets_metadata):
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible:
                print_sheet(number, sheet.name, workbook.get_sheet_by_index(number))
    except CalamineError:
        sys.exit(1)


if __name__ == "__main__":
    main()

"""Who may open the published files: their owner, the owner's group, or everyone on the machine.

In: `published.readers` of tributary.yaml, a folder. Out: modes of its files. All other files of the home stay private.
"""

from __future__ import annotations

import stat
from pathlib import Path

RIGHTS = {"owner": 0o700, "group": 0o750, "everyone": 0o755}


def share(folder: Path, readers: str) -> None:
    """Let the readers open every file below the folder, and nobody else."""
    rights = RIGHTS[readers]
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(rights if path.is_dir() else rights & 0o666)


def let_through(home: Path, readers: str) -> None:
    """Let the readers pass through the home folder to its published files. They cannot list or open others."""
    home.chmod(stat.S_IMODE(home.stat().st_mode) & ~0o077 | RIGHTS[readers] & 0o011)

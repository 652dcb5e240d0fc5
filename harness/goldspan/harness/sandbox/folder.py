"""Makes the folder safe that a command has left: whoever reads it later is outside the sandbox."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def made_safe(folder: Path) -> tuple[str, ...]:
    """Remove links that lead out of the folder, pipes, sockets and devices, and take set-user-id
    and set-group-id bits away. Returns the names, relative to the folder, sorted.

    A link is judged by where it leads on this side: `/work/a` is inside for the command only.
    Never follows a link, and is for a folder that no process writes to any more.
    """
    root = folder.resolve()
    found: list[str] = []
    pending = [root]
    while pending:
        for entry in os.scandir(pending.pop()):
            path = Path(entry.path)
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                path.chmod(mode & 0o777 | 0o700)
                pending.append(path)
            elif stat.S_ISREG(mode):
                if not mode & (stat.S_ISUID | stat.S_ISGID):
                    continue
                path.chmod(mode & 0o777)
                found.append(str(path.relative_to(root)))
            elif not (stat.S_ISLNK(mode) and _inside(path, root)):
                path.unlink()
                found.append(str(path.relative_to(root)))
    return tuple(sorted(found))


def _inside(link: Path, root: Path) -> bool:
    try:
        return link.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a circle of links
        return False

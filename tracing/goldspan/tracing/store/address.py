"""The address file `<store>.server`: where the process that owns a store answers."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from goldspan.tracing.errors import StoreError, why


@dataclass(frozen=True)
class Address:
    """What a client on the same machine needs to know of the owner.

    `url` is the HTTP base address; `started` the owner's start time as the system tells it (a pid
    alone may be somebody else's by now); `token` opens the query endpoint, `admin_token` admin
    jobs.
    """

    url: str
    pid: int
    started: str
    token: str
    admin_token: str


class OwnedError(StoreError):
    """A server owns the store: it answers, the file is not to be opened."""

    def __init__(self, store: Path, address: Address) -> None:
        super().__init__(
            f"is owned by `goldspan serve` at {address.url}, process {address.pid}",
            where=str(store),
            remedy="use that one, or stop it first",
        )
        self.address = address


def address_file(store: Path) -> Path:
    """Where the address of a store's owner is written."""
    return store.with_name(store.name + ".server")


def live_address(store: Path) -> Address | None:
    """The address of the process that owns a store now. None if there is none, or it is stale."""
    address = _read(address_file(store))
    if address is None or start_time(address.pid) != address.started:
        return None
    return address


def write_address(store: Path, address: Address) -> None:
    """Write the file at once and whole, readable by its owner only. Raises StoreError."""
    target = address_file(store)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(address), file)
        draft.replace(target)
    except OSError as error:
        raise StoreError(
            f"the server's address cannot be written: {why(error)}",
            where=str(target),
            remedy="make the store's folder writable",
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def remove_address(store: Path) -> None:
    """Remove the file. Only the owner may, while it still holds the store."""
    with suppress(OSError):
        address_file(store).unlink(missing_ok=True)


def start_time(pid: int) -> str | None:
    """When a process started, in a form that only compares. None if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _asked_start_time(pid)
    except OSError:
        return None
    # The name in brackets may hold anything, brackets and blanks included.
    state, *rest = text[text.rindex(")") + 1 :].split()
    return None if state in "ZX" else rest[18]


def _asked_start_time(pid: int) -> str | None:
    """Where there is no /proc."""
    asked = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or None


def _read(file: Path) -> Address | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        values = {field.name: found[field.name] for field in fields(Address)}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(values["pid"], int) or values["pid"] <= 0:
        return None
    return Address(**values)

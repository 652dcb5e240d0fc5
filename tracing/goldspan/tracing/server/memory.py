"""A ceiling for the whole process, which DuckDB's own limit is not.

DuckDB counts its buffers, not what a function builds: `len(range(100000000))` takes gigabytes
under any memory_limit. Beyond the ceiling the system refuses memory; the query that asked for a
lot fails, and what else goes on asks for little.
"""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

# Arrow's own allocator reserves so much address space at its first use, and that counts.
_RESERVED_BYTES = 1024 * 1024 * 1024


def bound_memory(more_bytes: int) -> None:
    """Let this process take so much beyond what it has now; children may lift it again.

    Only where the system counts it (Linux, getrlimit(2): RLIMIT_DATA).
    """
    taken = _data_bytes()
    if taken is None:
        return
    with suppress(ValueError, OSError):  # there is a lower one already
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        ceiling = taken + more_bytes
        if pa.default_memory_pool().backend_name != "system":
            ceiling += _RESERVED_BYTES
        if soft == resource.RLIM_INFINITY or ceiling < soft:
            resource.setrlimit(resource.RLIMIT_DATA, (ceiling, hard))


def _data_bytes() -> int | None:
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("VmData:")]
    return int(found[0]) * 1024 if found else None

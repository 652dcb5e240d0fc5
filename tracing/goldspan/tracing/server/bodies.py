"""Receiving and unpacking a body without more memory than there is for it."""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from goldspan.tracing.errors import InputError
from goldspan.tracing.server.queueing import QueueFullError

_STEP = 256 * 1024
_GZIP_OR_ZLIB = 47
_RAW_DEFLATE = -15


class TooLargeError(InputError):
    """A body is larger than the server takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than {limit} bytes unpacked; send smaller batches")


class UnknownEncodingError(InputError):
    """A content encoding that the server cannot unpack."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the content encoding {name!r} is not known; use gzip or deflate")


class Budget:
    """A number of bytes that all bodies in the making share. Any thread may use it."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._limit = limit
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        """Bytes that are taken now."""
        return self._limit - self._left

    @contextmanager
    def share(self) -> Iterator[Share]:
        """A body's share, given back when the block ends."""
        share = Share(self)
        try:
            yield share
        finally:
            self.give_back(share.bytes)

    def take(self, size: int) -> None:
        """Take bytes. Raises QueueFullError if they are not there."""
        with self._lock:
            if size > self._left:
                raise QueueFullError
            self._left -= size

    def give_back(self, size: int) -> None:
        """Give bytes back."""
        with self._lock:
            self._left += size


class Share:
    """What one body has taken of a budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.bytes = 0

    def take(self, size: int) -> None:
        """Take more. Raises QueueFullError."""
        self._budget.take(size)
        self.bytes += size


async def received(chunks: AsyncIterator[bytes], limit: int, share: Share, seconds: float) -> bytes:
    """A body as it arrives. Raises TooLargeError, QueueFullError, TimeoutError."""
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(seconds):
        async for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise TooLargeError(limit)
            share.take(len(chunk))
            parts.append(chunk)
    return b"".join(parts)


def unpacked(body: bytes, encoding: str, limit: int, share: Share) -> bytes:
    """The body without its content encoding; the limit is checked while it is unpacked.

    Raises TooLargeError, QueueFullError, UnknownEncodingError, and InputError for a body that is
    not what its encoding says, or is cut off.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in ("gzip", "x-gzip", "deflate"):
        raise UnknownEncodingError(encoding)
    try:
        return _inflated(body, _GZIP_OR_ZLIB, limit, share)
    except zlib.error as error:
        if name == "deflate":  # some senders leave the zlib header out
            try:
                return _inflated(body, _RAW_DEFLATE, limit, share)
            except zlib.error:
                pass
        raise InputError(f"the body is not {name} data: {error}") from error


def _inflated(body: bytes, window: int, limit: int, share: Share) -> bytes:
    parts: list[bytes] = []
    size = 0
    rest = body
    while rest:
        stream = zlib.decompressobj(window)
        while not stream.eof:
            part = stream.decompress(rest, _STEP)
            rest = stream.unconsumed_tail
            size += len(part)
            if size > limit:
                raise TooLargeError(limit)
            share.take(len(part))
            parts.append(part)
            if not part and not rest and not stream.eof:
                raise InputError("the body is compressed data that is cut off")
        rest = stream.unused_data.lstrip(b"\0")  # gzip allows several members, and padding
    return b"".join(parts)

"""Mends protobuf bodies that the library refuses as a whole for one bad value.

Text that is not UTF-8 gets replacement characters, and what is nested deeper than the library
reads is left out. Everything else stays as it came, byte for byte. Field layout as in the
protobuf encoding guide: a varint key (number << 3 | wire type), then the value.
"""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor

MAX_DEPTH = 90  # the library's own limit is 100
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def repaired(body: bytes, kind: Descriptor) -> tuple[bytes, str]:
    """The mended body, and what was mended in words; "" if nothing could be."""
    notes: set[str] = set()
    try:
        mended = _message(memoryview(body), kind, 0, notes)
    except (IndexError, ValueError):
        return body, ""
    return mended, "; ".join(sorted(notes))


def _message(body: memoryview, kind: Descriptor, depth: int, notes: set[str]) -> bytes:
    out = bytearray()
    at = 0
    while at < len(body):
        begun = at
        key, at = _varint(body, at)
        wire = key & 7
        if wire != _BYTES:
            at = _skipped(body, at, wire)
            out += body[begun:at]
            continue
        out += body[begun:at]
        size, start = _varint(body, at)
        at = start + size
        if at > len(body):
            raise ValueError("cut off")
        value = _value(body[start:at], kind.fields_by_number.get(key >> 3), depth, notes)
        out += _encoded(len(value))
        out += value
    return bytes(out)


def _value(
    value: memoryview, field: FieldDescriptor | None, depth: int, notes: set[str]
) -> bytes | memoryview:
    if field is None:
        return value
    if field.message_type is not None:
        if depth >= MAX_DEPTH:
            notes.add("values nested too deeply were left out")
            return b""
        return _message(value, field.message_type, depth + 1, notes)
    if field.type == FieldDescriptor.TYPE_STRING:
        try:
            str(value, "utf-8")
        except UnicodeDecodeError:
            notes.add("text that is not UTF-8 was mended")
            return str(value, "utf-8", "replace").encode()
    return value


def _skipped(body: memoryview, at: int, wire: int) -> int:
    if wire == _VARINT:
        return _varint(body, at)[1]
    if wire == _FIXED64:
        at += 8
    elif wire == _FIXED32:
        at += 4
    else:
        raise ValueError(f"wire type {wire}")
    if at > len(body):
        raise ValueError("cut off")
    return at


def _varint(body: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while shift < 70:
        byte = body[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
    raise ValueError("a number of more than ten bytes")


def _encoded(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)

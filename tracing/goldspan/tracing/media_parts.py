"""Images, sounds, videos, documents in messages, as the conventions' blob, uri and file parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MIME_NAMES = ("media_type", "mediaType", "mime_type", "mimeType")


def media_part(block: Mapping[str, Any], modality: str) -> dict[str, Any] | None:
    """The part that holds a medium's bytes, its address or its id; None if it has none of these."""
    layers = _layers(block, modality)

    def first(*names: str) -> Any:
        found = (layer[n] for layer in layers for n in names if layer.get(n) is not None)
        return next(found, None)

    part: dict[str, Any] = {"modality": modality}
    mime = first(*_MIME_NAMES)
    if mime is None and isinstance(extension := first("format"), str):
        mime = f"{modality}/{extension}"
    if isinstance(mime, str):
        part["mime_type"] = mime
    url = first("url", "uri", "fileUri", "file_uri", "file_url")
    if isinstance(location := first("s3Location"), Mapping):
        url = location.get("uri")
    data = first("data", "bytes", "file_data", "content", "transcript")
    for text in (url, data):
        if isinstance(text, str) and text.startswith("data:"):
            head, _, data = text.partition(",")
            part["mime_type"] = head.removeprefix("data:").partition(";")[0]
            return {"type": "blob", **part, "content": data}
    if isinstance(url, str):
        return {"type": "uri", **part, "uri": url}
    if data is not None:
        return {"type": "blob", **part, "content": data}
    file_id = first("file_id", "fileId", "id")
    return {"type": "file", **part, "file_id": file_id} if isinstance(file_id, str) else None


def modality_of(data: Mapping[str, Any]) -> str:
    """The modality that a mime type says; anything but image, audio and video is a document."""
    mime = next((data[n] for n in _MIME_NAMES if isinstance(data.get(n), str)), "")
    head = str(mime).partition("/")[0]
    return head if head in ("image", "audio", "video") else "document"


def _layers(block: Mapping[str, Any], modality: str) -> list[Mapping[str, Any]]:
    """The block and the objects in which it may hold the medium, the inner ones first."""
    layers = [block]
    for _ in range(3):
        inner = next(
            (
                layers[0][name]
                for name in (modality, f"{modality}_url", f"input_{modality}", "source", "file")
                if layers[0].get(name) is not None
            ),
            None,
        )
        if isinstance(inner, str):
            # An address, or the bytes themselves.
            is_address = inner.startswith(("http:", "https:", "data:", "s3:", "gs:", "file:"))
            inner = {"url" if is_address else "data": inner}
        if not isinstance(inner, Mapping):
            break
        layers.insert(0, inner)
    return layers

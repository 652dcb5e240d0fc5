"""Packs what `make record` recorded: cassettes as package data, with a manifest of what they are.

python -m goldspan.harness.demo.recording FOLDER --model "..." --weights-sha256 ...
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
from collections import Counter
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from goldspan.golden import bundled, load_cases
from goldspan.harness.agents.bundled import bundled_agent
from goldspan.harness.agents.version import AgentVersion

CASSETTES = Path(str(files("goldspan.harness") / "demo" / "cassettes"))
MANIFEST = "manifest.yaml"


def pack(source: Path, target: Path) -> dict[str, Any]:
    """Compress a recorded cassette so that the same answers give the same bytes.

    Returns what the manifest says of it.
    """
    lines = source.read_text(encoding="utf-8").splitlines()
    lines.sort(key=lambda line: _run(json.loads(line)))
    target.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\n" for line in lines).encode()
    target.write_bytes(gzip.compress(text, compresslevel=9, mtime=0))
    return described(target)


def described(cassette: Path) -> dict[str, Any]:
    """Whose answers a packed cassette holds, how many, and the file's digest."""
    data = cassette.read_bytes()
    rows = [json.loads(line) for line in gzip.decompress(data).splitlines()]
    ((agent, seed),) = Counter((row["agent"], row["seed"]) for row in rows)
    models = sorted({row["answer"]["response_model"] for row in rows})
    return {
        "file": cassette.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "agent": _version_of(agent),
        "agent_digest": agent,
        "seed": seed,
        "runs": len({_run(row) for row in rows}),
        "answers": len(rows),
        "response_models": models,
    }


def cases_digest() -> str:
    """The digest of the golden cases that the answers were recorded for."""
    folder = bundled("support_desk")
    return load_cases(sorted(folder.glob("cases/*.yaml"))).digest


def _run(row: dict[str, Any]) -> tuple[int, str]:
    return row["repeat"], row["case"]


def _version_of(digest: str) -> str:
    for folder in sorted(bundled_agent("support-desk").glob("v*")):
        if AgentVersion.load(folder).digest == digest:
            return folder.name
    raise SystemExit(f"no version of the agent has the digest {digest}: record it anew")


def main() -> None:
    """Pack every cassette of a folder and write the manifest."""
    parser = argparse.ArgumentParser(description="Packs recorded cassettes as package data.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", required=True, help="what answered, and how it was served")
    parser.add_argument("--weights-sha256", required=True)
    parser.add_argument("--note", action="append", default=[], help="what else is to be known")
    options = parser.parse_args()
    packed = [
        pack(source, CASSETTES / f"{source.stem}.jsonl.gz")
        for source in sorted(options.folder.glob("*.jsonl"))
    ]
    manifest = {
        "model": options.model,
        "weights_sha256": options.weights_sha256,
        "recorded": date.today().isoformat(),
        "command": "make record BASE_URL=http://127.0.0.1:8089/v1",
        "notes": options.note,
        "cases_digest": cases_digest(),
        "cassettes": packed,
    }
    text = "# What the demo's recorded answers are; goldspan.harness.demo.recording writes it.\n"
    text += yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=100)
    (CASSETTES / MANIFEST).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

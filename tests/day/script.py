"""The model of the day: what it says at each turn of each task, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from goldspan.harness.models.messages import ModelAnswer, ModelRequest, message_text, text_message
from tests.harness.scripted import act

Turn: TypeAlias = str | Callable[[Mapping[str, Any]], str]


def _draft(evidence: str) -> str:
    claims = [
        {"text": "The vault must be unlocked.", "evidence": "restore.md#1"},
        {"text": "A restore of 100 GB takes about 20 minutes.", "evidence": evidence},
    ]
    text = "Unlock the vault, then run `vault restore NAME`. 100 GB take about 20 minutes."
    return act("save_draft", title="Restoring a backup", text=text, claims=claims)


def _total(result: Mapping[str, Any]) -> str:
    views = sum(int(row["views"]) for row in result["rows"])
    return act("answer", text=f"{views} views on {len(result['rows'])} pages")


ITEMS = [
    {
        "who": "Ana",
        "what": "rewrite the page on restoring",
        "due": "Friday",
        "evidence": "tuesday.md#2",
    },
    {
        "who": "Bo",
        "what": "ask the vendor about the truncated objects",
        "due": "Thursday",
        "evidence": "tuesday.md#4",
    },
]
# What a task is known by, and the turns of its run. A turn may be made of the last tool's result.
SCRIPTS: dict[str, Sequence[Turn]] = {
    "Draft the guide": (
        act("get_metadata", doc="restore.md"),
        act("search_docs", words="restore"),
        _draft("restore.md#9"),
        _draft("restore.md#2"),
        act("answer", text="The draft is saved. Its owner is not known yet."),
    ),
    "Complaint": (
        act("find_charges", customer="C-7"),
        act("issue_credit", "charged twice on one day", invoice="INV-90", amount_usd=180),
        lambda result: act("answer", text=f"{result['credited_usd']:.2f} USD were credited."),
    ),
    "october.csv": (act("fetch_object", name="october.csv"), _total),
    "november.csv": (act("fetch_object", name="november.csv"), _total),
    "Can an export": (
        act("search_docs", words="export pdf"),
        lambda result: act("answer", text=f"Yes ({result['passages'][0]['anchor']})."),
    ),
    "keep its links": (
        act("search_docs", words="export links"),
        lambda result: act("answer", text=f"Yes ({result['passages'][0]['anchor']})."),
    ),
    "Make action items": (
        act("read_notes", meeting="tuesday.md"),
        act("answer", text="Ana and Bo have something to do."),
        act("file_items", items=ITEMS),
        act("answer", text="Two action items are filed."),
    ),
}


class Script:
    """A model that follows `SCRIPTS`."""

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        task = next(message_text(m) for m in request.messages if m["role"] == "user")
        turns = next(turns for words, turns in SCRIPTS.items() if words in task)
        turn = turns[sum(m["role"] == "assistant" for m in request.messages)]
        if not isinstance(turn, str):
            turn = turn(json.loads(message_text(request.messages[-1]).partition(": ")[2]))
        return ModelAnswer(
            text_message("assistant", turn),
            response_model=request.model,
            input_tokens=100 * len(request.messages),
            output_tokens=len(turn) // 4,
        )

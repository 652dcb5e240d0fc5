"""What a model call costs: a user's `prices.yaml` first, then the genai-prices data set.

Unknown is None, never 0: an unknown model, a call without token counts. Nothing is downloaded;
the prices are those of the installed genai-prices, whose version stands beside each cost.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import genai_prices
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from goldspan.tracing.errors import PricingError
from goldspan.tracing.files import parse_yaml, read_text

PRICES_ENV = "GOLDSPAN_PRICES"
PRICES_FILE = "prices.yaml"
MILLION = 1_000_000
# The GenAI conventions' provider names, where genai-prices has another one.
_PROVIDERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "aws.bedrock": "aws",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
    "moonshot_ai": "moonshotai",
}


@dataclass(frozen=True)
class Price:
    """The price of one call in USD, and whose price it is (`prices.yaml` or `genai-prices`)."""

    usd: float
    source: str
    version: str


class PriceEntry(BaseModel):
    """One entry of prices.yaml. USD per million tokens; `model` may hold * and ?."""

    model_config = ConfigDict(extra="forbid")

    provider: str | None = None
    model: str
    input_usd: float = Field(ge=0)
    output_usd: float = Field(default=0.0, ge=0)
    cached_input_usd: float | None = Field(default=None, ge=0)
    cache_write_usd: float | None = Field(default=None, ge=0)


class PriceFile(BaseModel):
    """A whole prices.yaml."""

    model_config = ConfigDict(extra="forbid")

    prices: list[PriceEntry] = []


class Prices:
    """Looks prices up. `entries` are the user's own, the first that matches counts."""

    def __init__(self, entries: list[PriceEntry] | None = None, version: str = "") -> None:
        self._entries = entries or []
        self._version = version

    @classmethod
    def load(cls, path: Path | None) -> Prices:
        """Prices with a user's file; without one if there is no such file.

        Raises PricingError, with the line, if the file is not a price list.
        """
        if path is None or not path.is_file():
            return cls()
        text = read_text(path, PricingError)
        value, _ = parse_yaml(text, path, PricingError)
        try:
            parsed = PriceFile.model_validate(value or {})
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise PricingError(
                f"{field}: {first['msg']}",
                where=str(path),
                remedy="see docs/pricing.md for the format",
            ) from error
        return cls(parsed.prices, hashlib.sha256(text.encode()).hexdigest()[:12])

    def of_call(
        self,
        *,
        provider: str | None,
        models: tuple[str | None, ...],
        input_tokens: int | None,
        output_tokens: int | None,
        cached_input_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        at: datetime | None = None,
        embeddings: bool = False,
    ) -> Price | None:
        """The price of a call, or None if it is unknown.

        `models` are tried in order (the answering model, then the requested one). `input_tokens`
        includes cached and cache-written ones. `at` (UTC) chooses among dated prices.
        """
        if input_tokens is None or (output_tokens is None and not embeddings):
            return None
        known = [model for model in models if model]
        for model in known:
            entry = self._entry(provider, model)
            if entry is not None:
                usd = _entry_usd(
                    entry,
                    input_tokens,
                    output_tokens or 0,
                    cached_input_tokens or 0,
                    cache_write_tokens or 0,
                )
                return Price(usd, PRICES_FILE, self._version)
        usage = genai_prices.Usage(
            input_tokens=input_tokens,
            output_tokens=output_tokens or 0,
            cache_read_tokens=cached_input_tokens,
            cache_write_tokens=cache_write_tokens,
        )
        for model in known:
            usd_or_none = _listed_usd(usage, provider, model, at)
            if usd_or_none is not None:
                return Price(usd_or_none, "genai-prices", genai_prices.__version__)
        return None

    def knows(self, provider: str | None, model: str) -> bool:
        """True if a call of this model would have a price."""
        return (
            self.of_call(provider=provider, models=(model,), input_tokens=1, output_tokens=1)
            is not None
        )

    def _entry(self, provider: str | None, model: str) -> PriceEntry | None:
        for entry in self._entries:
            if entry.provider not in (None, provider):
                continue
            if fnmatchcase(model, entry.model):
                return entry
        return None


def prices_path(store: Path) -> Path:
    """Where a store's price list is: $GOLDSPAN_PRICES, else prices.yaml beside the store."""
    named = os.environ.get(PRICES_ENV)
    return Path(named) if named else store.parent / PRICES_FILE


def _entry_usd(entry: PriceEntry, whole: int, output: int, cached: int, written: int) -> float:
    cached_usd = entry.input_usd if entry.cached_input_usd is None else entry.cached_input_usd
    write_usd = entry.input_usd if entry.cache_write_usd is None else entry.cache_write_usd
    plain = max(whole - cached - written, 0)
    total = (
        plain * entry.input_usd
        + cached * cached_usd
        + written * write_usd
        + output * entry.output_usd
    )
    return total / MILLION


def _listed_usd(usage: Any, provider: str | None, model: str, at: datetime | None) -> float | None:
    provider_id = _PROVIDERS.get(provider, provider) if provider else None
    moment = at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
    try:
        found = genai_prices.calc_price(
            usage, model, provider_id=provider_id, genai_request_timestamp=moment
        )
    except (LookupError, ValueError):
        return None
    return float(found.total_price)

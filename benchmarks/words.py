"""Texts for the workload: sentences of made-up words, in the frequencies of a language."""

from __future__ import annotations

import random
from functools import cache
from itertools import accumulate


def sentence(chance: random.Random) -> str:
    """One of 20,000 sentences of some 60 characters: to draw each word anew costs more."""
    sentences = _sentences()
    return sentences[int(chance.random() * len(sentences))]


def phrase() -> str:
    """Five words that follow each other in some of the texts, for text searches."""
    return " ".join(_sentences()[0].split()[:5])


@cache
def _sentences() -> list[str]:
    chance = random.Random("sentences")
    words, frequencies = _words()
    made = []
    for _ in range(20_000):
        drawn = chance.choices(words, cum_weights=frequencies, k=chance.randint(7, 15))
        made.append(" ".join(drawn).capitalize() + ".")
    return made


@cache
def _words() -> tuple[list[str], list[float]]:
    """Words of one to four syllables, and their cumulated frequencies by Zipf's law."""
    chance = random.Random("words")
    syllables = [first + vowel for first in "bdfgklmnprstvz" for vowel in "aeiou"]
    words: dict[str, None] = {}
    while len(words) < 3000:
        words["".join(chance.choices(syllables, k=chance.randint(1, 4)))] = None
    return list(words), list(accumulate(1 / (rank + 3) for rank in range(len(words))))

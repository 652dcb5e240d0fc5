"""What can go wrong, as one small tree.

GoldspanError                 exit code 2
├── InputError                2  a file or a request body is not what it should be
├── StoreError                2  the store cannot be opened or read
│   └── NotStoredError        4  the store could not take what was to be stored
├── ConfigError               2  an option, a setting or an agent version is wrong
├── PricingError              2  a price list is wrong, or a budget needs a price that is unknown
├── MeasurementError          4  something could not be measured: an answer or a model is missing
└── InternalError             4  Goldspan itself is at fault

A message says what was wrong and where, and what to do about it.
"""

from __future__ import annotations

import os


class GoldspanError(Exception):
    """Root of all errors that are meant for people.

    `str(error)` is one line: "where: message (remedy)". `exit_code` is what a command exits with.
    """

    exit_code = 2

    def __init__(
        self, message: str, *, where: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = " ".join(message.split())
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.remedy})" if self.remedy else text


class InputError(GoldspanError):
    """A file or a request body is not what it should be."""


class StoreError(GoldspanError):
    """The store cannot be opened or read."""


class NotStoredError(StoreError):
    """The store could not take what was to be stored. What it held before, it holds."""

    exit_code = 4


class ConfigError(GoldspanError):
    """An option, a setting or an agent version is wrong."""


class PricingError(GoldspanError):
    """A price list is wrong, or a budget needs a price that nobody knows."""


class MeasurementError(GoldspanError):
    """Something could not be measured; the result is neither a pass nor a regression."""

    exit_code = 4


class InternalError(GoldspanError):
    """Goldspan itself is at fault."""

    exit_code = 4


def why(error: OSError) -> str:
    """Why a file could not be read or written, in the system's words where these are clear."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "a folder of its path is a regular file"
    return error.strerror or (os.strerror(error.errno) if error.errno else str(error))

"""The sentences' assertions say what they found, as those of a test module do."""

import pytest

pytest.register_assert_rewrite("tests.day.morning", "tests.day.noon", "tests.day.evening")

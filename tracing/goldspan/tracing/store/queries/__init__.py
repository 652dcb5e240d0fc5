"""The store's own queries: .sql files, one question each, beside this page."""

from __future__ import annotations

from functools import partial

from goldspan.tracing.sql_files import sql_names, sql_text

sql = partial(sql_text, __name__)
names = partial(sql_names, __name__)

"""Synthesis in plain SQL of DuckDB: effect sizes, pooling, weighted descriptions, as macros.

`reviewdata.synthesis.install(connection)` gives them to any DuckDB connection; a query file of a
review has them without asking.
"""

from __future__ import annotations

from reviewdata.synthesis.macros import find_used, install, script

__all__ = ["find_used", "install", "script"]

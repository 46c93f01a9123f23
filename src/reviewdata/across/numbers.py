"""The same numbers in two places: rows copied to another study, arms that count twice."""

from __future__ import annotations

from collections.abc import Iterator

from reviewdata.across.question import Question, declared, study_of
from reviewdata.statistics import Statistic
from reviewdata.tables import Tables

CERTAIN, LIKELY = 14, 9
"""Significant digits that two studies share: from the first on a warning, from the second on a
note. Fewer are shared by chance in a table of some size."""

FEWEST = 4
"""Numbers that a row must have to be compared."""

_DESIGN = ("min", "max", "items", "reference_sd", "ci_level", "alpha", "sides", "predictors")
"""Numeric roles that many rows share by design."""

_ARM_NUMBERS = {"mean-difference": ("n", "mean", "sd"), "two-by-two": ("events", "n", "nonevents")}


def same_numbers(tables: Tables) -> Iterator[Question]:
    """Ask for rows whose numbers, as printed, are also those of another study (RD301)."""
    kinds = ("sample-mean", "sample-median", "mean-difference", "two-by-two", "estimate")
    for resource, statistic in declared(tables, *kinds):
        study = study_of(tables.package, resource, statistic)
        cells = _numbers(statistic)
        if study is None or len(cells) < FEWEST:
            continue
        value, source = study
        texts = ", ".join(f"nullif(trim({text}), '')" for text in cells.values())
        sql = f"""
            WITH printed AS (
              SELECT
                t._row AS _row,
                {value} AS study,
                list_filter([{texts}], lambda x: x IS NOT NULL) AS numbers,
                [{texts}] AS texts
              {source}
            ),
            counted AS (
              SELECT *, list_sum(list_transform(numbers, lambda x:
                length(ltrim(regexp_replace(x, '[^0-9]', '', 'g'), '0')))) AS digits
              FROM printed
              WHERE study IS NOT NULL AND len(numbers) >= {FEWEST}
            )
            SELECT
              _row,
              study,
              first(study) OVER twin AS other,
              len(numbers) AS many,
              array_to_string(numbers, ', ') AS numbers,
              CASE WHEN digits >= {CERTAIN} THEN 'warning' ELSE 'note' END AS level
            FROM counted
            WHERE digits >= {LIKELY}
            WINDOW twin AS (PARTITION BY texts ORDER BY _row)
            QUALIFY other <> study
            ORDER BY _row"""
        yield Question("RD301", resource.name, statistic.field(next(iter(cells))), sql)


def arm_twice(tables: Tables) -> Iterator[Question]:
    """Ask for comparisons that use an arm which another comparison of the pool uses (RD302).

    Without a declared pool, rows of one table are one pool only where the numbers of the arm
    are the same too, and it is a note.
    """
    for resource, statistic in declared(tables, *_ARM_NUMBERS):
        bound = statistic.bindings
        if not {"study", "arm1", "arm2"} <= bound.keys():
            continue
        pooled = "pool" in bound
        pool = bound["pool"].value if pooled else "NULL"
        parts = []
        for arm in ("1", "2"):
            roles = [f"{name}{arm}" for name in _ARM_NUMBERS[statistic.kind]]
            texts = ", ".join(bound[role].text for role in roles if role in bound)
            parts.append(f"""
              SELECT
                t._row AS _row,
                {bound["study"].value} AS study,
                {pool} AS pool,
                {bound[f"arm{arm}"].value} AS arm,
                {"NULL" if pooled else f"[{texts}]"} AS numbers
              {statistic.source}""")
        sql = f"""
            WITH arms AS ({" UNION ALL ".join(parts)})
            SELECT
              _row,
              study,
              arm,
              count(*) OVER same AS uses,
              '{"warning" if pooled else "note"}' AS level
            FROM arms
            WHERE study IS NOT NULL AND arm IS NOT NULL
            WINDOW same AS (PARTITION BY study, pool, arm, numbers)
            QUALIFY uses > 1 AND _row > min(_row) OVER same
            ORDER BY _row, arm"""
        yield Question("RD302", resource.name, statistic.field("arm2"), sql)


def _numbers(statistic: Statistic) -> dict[str, str]:
    """Return SQL for the printed text of each number of a statistic that a cell holds."""
    return {
        role: binding.text
        for role, binding in statistic.bindings.items()
        if binding.cell is not None and binding.numeric and role not in _DESIGN
    }

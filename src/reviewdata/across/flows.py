"""Flows of people and of reports: arms and totals, and the boxes of PRISMA 2020."""

from __future__ import annotations

from collections.abc import Iterator

from reviewdata.across.question import Question, declared
from reviewdata.columns import quote_name, quote_text
from reviewdata.tables import Tables

BOXES = (
    *("identified", "removed", "screened", "excluded", "sought", "not-retrieved"),
    *("assessed", "excluded-reports", "included-reports", "included-studies"),
)
"""The boxes of the PRISMA 2020 flow diagram (Page et al. 2021, BMJ 372:n71)."""

STEPS = (
    ("identified", "removed", "screened", ""),
    ("screened", "excluded", "sought", ""),
    ("screened", "excluded", "assessed", "sought"),
    ("sought", "not-retrieved", "assessed", ""),
    ("assessed", "excluded-reports", "included-reports", ""),
)
"""What goes into a step, what leaves it, what remains, and without which box it is a step."""


def arms_and_total(tables: Tables) -> Iterator[Question]:
    """Ask for totals of a study that its arms do not add up to (RD311).

    A record without an arm, or with the arm `total`, is the total; records are compared within
    a `pool`: a time point, an outcome. Fewer people in the arms is a note: not all arms may be
    extracted. An arm that occurs twice in a pool is not judged.
    """
    for resource, statistic in declared(tables, "sample-flow"):
        bound = statistic.bindings
        if not {"study", "arm"} <= bound.keys():
            continue
        pool = bound["pool"].value if "pool" in bound else "NULL"
        whole = f"coalesce(lower({bound['arm'].value}), 'total') = 'total'"
        for role in ("randomised", "analysed"):
            sql = f"""
                WITH flow AS (
                  SELECT
                    t._row AS _row,
                    {bound["study"].value} AS study,
                    {pool} AS pool,
                    {bound["arm"].value} AS arm,
                    {whole} AS whole,
                    {bound[role].value} AS people
                  {statistic.source}
                ),
                arms AS (
                  SELECT study, pool, sum(people) AS parts, count(*) AS arms
                  FROM flow
                  WHERE NOT whole
                  GROUP BY study, pool
                  HAVING count(people) = count(*) AND count(DISTINCT arm) = count(*)
                )
                SELECT
                  _row,
                  flow.study AS study,
                  arms,
                  CAST(people AS BIGINT) AS total,
                  CAST(parts AS BIGINT) AS parts,
                  '{role}' AS role,
                  CASE WHEN parts > people THEN 'error' ELSE 'note' END AS level
                FROM flow
                JOIN arms ON arms.study = flow.study AND arms.pool IS NOT DISTINCT FROM flow.pool
                WHERE whole AND parts <> people
                ORDER BY _row"""
            yield Question("RD311", resource.name, statistic.field(role), sql)


def boxes(tables: Tables) -> Iterator[Question]:
    """Ask for the boxes of a flow diagram that do not follow from the ones before (RD321).

    Boxes of one name are summed within a `pool`, a column of the diagram. Only boxes of one
    unit are compared. Where unit or pool is not given it is a note: reports and studies are
    counted differently, and what other methods found enters the diagram further down.
    """
    for resource, statistic in declared(tables, "study-flow"):
        bound = statistic.bindings
        unit = bound["unit"].value if "unit" in bound else "NULL"
        pool = bound["pool"].value if "pool" in bound else "NULL"
        steps = ", ".join(f"({', '.join(map(quote_text, step))})" for step in STEPS)
        sql = f"""
            WITH flow AS (
              SELECT
                t._row AS _row,
                {pool} AS pool,
                lower({bound["box"].value}) AS box,
                lower({unit}) AS unit,
                {bound["count"].value} AS number
              {statistic.source}
            ),
            summed AS (
              SELECT
                pool,
                box,
                CAST(sum(number) AS BIGINT) AS number,
                min(_row) AS _row,
                min(unit) AS unit,
                count(DISTINCT unit) <= 1 AS alike,
                bool_and(unit IS NOT NULL) AS known
              FROM flow
              GROUP BY pool, box
              HAVING count(number) = count(*)
            )
            SELECT
              c._row AS _row,
              a.box AS before,
              a.number AS number,
              b.box AS away,
              b.number AS gone,
              c.box AS after,
              c.number AS remain,
              a.number - b.number AS expected,
              CASE
                WHEN a.known AND b.known AND c.known AND a.pool IS NOT NULL THEN 'warning'
                ELSE 'note'
              END AS level
            FROM (VALUES {steps}) AS step(before, away, after, without)
            JOIN summed AS a ON a.box = step.before
            JOIN summed AS b ON b.box = step.away AND b.pool IS NOT DISTINCT FROM a.pool
            JOIN summed AS c ON c.box = step.after AND c.pool IS NOT DISTINCT FROM a.pool
            WHERE a.number - b.number <> c.number
              AND a.alike AND b.alike AND c.alike
              AND coalesce(a.unit = c.unit, true)
              AND step.without NOT IN (SELECT box FROM summed)
            ORDER BY c._row"""
        yield Question("RD321", resource.name, statistic.field("count"), sql)


def included_studies(tables: Tables) -> Iterator[Question]:
    """Ask whether the studies of the diagram are as many as those of the table (RD322).

    Fewer in the table is a note: not all may be extracted.
    """
    studies = (tables.package.config.studies or {}).get("resource")
    if studies not in tables.columns:
        return
    for resource, statistic in declared(tables, "study-flow"):
        bound = statistic.bindings
        sql = f"""
            WITH flow AS (
              SELECT
                t._row AS _row,
                lower({bound["box"].value}) AS box,
                {bound["count"].value} AS number
              {statistic.source}
            ),
            held AS (SELECT count(*) AS held FROM cells.{quote_name(studies)}),
            summed AS (
              SELECT min(_row) AS _row, sum(number) AS number
              FROM flow
              WHERE box = 'included-studies'
              HAVING count(number) > 0
            )
            SELECT
              _row,
              CAST(number AS BIGINT) AS included,
              held,
              {quote_text(studies)} AS studies,
              CASE WHEN held > number THEN 'warning' ELSE 'note' END AS level
            FROM summed, held
            WHERE number <> held
            ORDER BY _row"""
        yield Question("RD322", resource.name, statistic.field("count"), sql)


def unknown_boxes(tables: Tables) -> Iterator[Question]:
    """Ask for boxes that PRISMA 2020 does not have, which no sum takes in (RD323)."""
    for resource, statistic in declared(tables, "study-flow"):
        box = f"lower({statistic.bindings['box'].value})"
        known = ", ".join(map(quote_text, BOXES))
        closer = f"levenshtein({box}, b) < levenshtein({box}, a)"
        sql = f"""
            SELECT
              t._row AS _row,
              {box} AS box,
              list_reduce(
                [{known}], lambda a, b: CASE WHEN {closer} THEN b ELSE a END
              ) AS nearest
            {statistic.source}
            WHERE {box} NOT IN ({known})
            ORDER BY t._row"""
        yield Question("RD323", resource.name, statistic.field("box"), sql)

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
    ("identified", "removed", "screened"),
    ("screened", "excluded", "sought"),
    ("sought", "not-retrieved", "assessed"),
    ("assessed", "excluded-reports", "included-reports"),
)
"""What goes into a step, what leaves it, and what remains."""


def arms_and_total(tables: Tables) -> Iterator[Question]:
    """Ask for totals of a study that its arms do not add up to (RD311).

    A record without an arm, or with the arm `total`, is the total. Fewer people in the arms
    is a note: not all arms may be extracted.
    """
    for resource, statistic in declared(tables, "sample-flow"):
        bound = statistic.bindings
        if not {"study", "arm"} <= bound.keys():
            continue
        whole = f"coalesce(lower({bound['arm'].value}), 'total') = 'total'"
        for role in ("randomised", "analysed"):
            sql = f"""
                WITH flow AS (
                  SELECT
                    t._row AS _row,
                    {bound["study"].value} AS study,
                    {whole} AS whole,
                    {bound[role].value} AS people
                  {statistic.source}
                ),
                arms AS (
                  SELECT study, sum(people) AS parts, count(*) AS arms
                  FROM flow
                  WHERE NOT whole
                  GROUP BY study
                  HAVING count(people) = count(*)
                )
                SELECT
                  _row,
                  study,
                  arms,
                  CAST(people AS BIGINT) AS total,
                  CAST(parts AS BIGINT) AS parts,
                  '{role}' AS role,
                  CASE WHEN parts > people THEN 'error' ELSE 'note' END AS level
                FROM flow
                JOIN arms USING (study)
                WHERE whole AND parts <> people
                ORDER BY _row"""
            yield Question("RD311", resource.name, statistic.field(role), sql)


def boxes(tables: Tables) -> Iterator[Question]:
    """Ask for the boxes of a flow diagram that do not follow from the ones before (RD321).

    Boxes of one name are summed. Only boxes of one unit are compared; where the unit is not
    given it is a note, since reports and studies are counted differently.
    """
    for resource, statistic in declared(tables, "study-flow"):
        bound = statistic.bindings
        unit = bound["unit"].value if "unit" in bound else "NULL"
        steps = ", ".join(f"({', '.join(map(quote_text, step))})" for step in STEPS)
        sql = f"""
            WITH flow AS (
              SELECT
                t._row AS _row,
                lower({bound["box"].value}) AS box,
                lower({unit}) AS unit,
                {bound["count"].value} AS number
              {statistic.source}
            ),
            summed AS (
              SELECT
                box,
                CAST(sum(number) AS BIGINT) AS number,
                min(_row) AS _row,
                min(unit) AS unit,
                count(DISTINCT unit) <= 1 AS alike,
                bool_and(unit IS NOT NULL) AS known
              FROM flow
              GROUP BY box
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
              CASE WHEN a.known AND b.known AND c.known THEN 'warning' ELSE 'note' END AS level
            FROM (VALUES {steps}) AS step(before, away, after)
            JOIN summed AS a ON a.box = step.before
            JOIN summed AS b ON b.box = step.away
            JOIN summed AS c ON c.box = step.after
            WHERE a.number - b.number <> c.number
              AND a.alike AND b.alike AND c.alike
              AND coalesce(a.unit = c.unit, true)
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
            held AS (SELECT count(*) AS held FROM cells.{quote_name(studies)})
            SELECT
              _row,
              CAST(number AS BIGINT) AS included,
              held,
              {quote_text(studies)} AS studies,
              CASE WHEN held > number THEN 'warning' ELSE 'note' END AS level
            FROM flow, held
            WHERE box = 'included-studies' AND number <> held
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

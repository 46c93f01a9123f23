"""The rules across rows, in order of code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from reviewdata.across import flows, numbers, studies
from reviewdata.across.question import Question
from reviewdata.tables import Tables

Ask = Callable[[Tables], Iterator[Question]]

RULES: Mapping[str, Ask] = {
    "RD301": numbers.same_numbers,
    "RD302": numbers.arm_twice,
    "RD303": studies.same_doi,
    "RD304": studies.near_citations,
    "RD305": studies.year_in_label,
    "RD306": studies.doi_syntax,
    "RD311": flows.arms_and_total,
    "RD321": flows.boxes,
    "RD322": flows.included_studies,
    "RD323": flows.unknown_boxes,
}
"""What asks for the records at fault, by code."""

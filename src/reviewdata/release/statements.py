"""What a release says of its own limits: claims that are not reproduced, findings that stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reviewdata.model import Claim, Finding, Validation
from reviewdata.render.values import plain, shortened
from reviewdata.waivers import find_reasons

NAMED = 20
"""Claims or findings that are named one by one; more are counted."""


def write_statements(validation: Validation) -> tuple[str, ...]:
    """Return a sentence for each kind of thing that a reader should know."""
    return (*_on_claims(validation.claims), *_on_findings(validation))


def _on_claims(claims: Sequence[Claim]) -> Iterator[str]:
    told = {
        "reproduced": "{n} of {total} published claims {is} reproduced from the data",
        "incomplete": "{n} of {total} published claims {is} incomplete, since studies are missing"
        " from the data",
        "differs": "{n} of {total} published claims {differ} from what the data give",
        "not computable": "{n} of {total} published claims cannot be computed",
    }
    for verdict, words in told.items():
        named = [claim.claim_id for claim in claims if claim.verdict == verdict]
        if named:
            one = len(named) == 1
            said = words.format(
                n=len(named),
                total=len(claims),
                **{"is": "is" if one else "are", "differ": "differs" if one else "differ"},
            )
            yield f"{said}: {_names(named)}." if verdict != "reproduced" else f"{said}."


def _on_findings(validation: Validation) -> Iterator[str]:
    waived = [finding for finding in validation.findings if finding.waived]
    reasons = find_reasons(validation.waivers)
    if waived:
        said = []
        for finding in waived[:NAMED]:
            why = "; ".join(waiver.reason for waiver in reasons(finding))
            said.append(f"{_place(finding)} ({shortened(plain(why))})")
        more = [f"{len(waived) - NAMED:,} more"] if len(waived) > NAMED else []
        number = f"{len(waived):,} finding{' is' if len(waived) == 1 else 's are'}"
        yield f"{number} waived: {'; '.join([*said, *more])}."
    warned = [f for f in validation.findings if f.level == "warning" and f.counts]
    if warned:
        number = f"{len(warned):,} warning{' stands' if len(warned) == 1 else 's stand'}"
        yield f"{number}: {_names([_place(finding) for finding in warned])}."


def _place(finding: Finding) -> str:
    """Return what was found where: `RD231 at outcomes, herbst2016-ocd, p_value`."""
    parts = [finding.table or finding.path, *finding.key.values(), finding.field]
    place = ", ".join(plain(part) for part in parts if part)
    return f"{finding.code} at {place}" if place else finding.code


def _names(named: Sequence[str]) -> str:
    more = [f"{len(named) - NAMED:,} more"] if len(named) > NAMED else []
    return ", ".join([*(plain(name) for name in named[:NAMED]), *more])

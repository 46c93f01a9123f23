"""Published figures beside the computed ones, as text or Markdown."""

from __future__ import annotations

from reviewdata.model import Claim, QueryResult, count_claims
from reviewdata.render.results import result_markdown
from reviewdata.render.values import Paint, plain, unpainted

STYLES = {
    "reproduced": "green",
    "differs": "yellow",
    "broken": "bold red",
    "incomplete": "cyan",
    "not computable": "dim",
}


def claims_text(claims: tuple[Claim, ...], paint: Paint = unpainted) -> str:
    """Return one line a claim, aligned, and the number of each verdict last."""
    if not claims:
        return "the review declares no claims\n"
    verdicts = max(len(claim.verdict) for claim in claims)
    names = max(len(plain(claim.claim_id)) for claim in claims)
    lines = []
    for claim in claims:
        verdict = paint(claim.verdict.ljust(verdicts), STYLES[claim.verdict])
        parts = [f"published {plain(claim.published)}"]
        if claim.computed is not None:
            parts.append(f"computed {claim.computed_text}")
        if claim.why:
            parts.append(plain(claim.why))
        lines.append(f"{verdict}  {plain(claim.claim_id).ljust(names)}  {'  '.join(parts)}")
    lines.append(claims_line(claims))
    return "".join(line + "\n" for line in lines)


def claims_line(claims: tuple[Claim, ...]) -> str:
    """Return the number of claims with each verdict that occurs."""
    counts = count_claims(claims)
    return ", ".join(f"{number} {verdict}" for verdict, number in counts.items() if number)


def claims_markdown(claims: tuple[Claim, ...]) -> str:
    """Return the claims as a Markdown table."""
    columns = ("claim", "statement", "published", "computed", "verdict", "why")
    rows = tuple(
        (c.claim_id, c.statement, c.published, c.computed_text, c.verdict, c.why) for c in claims
    )
    return result_markdown(QueryResult("claims", tuple((c, "VARCHAR") for c in columns), rows))

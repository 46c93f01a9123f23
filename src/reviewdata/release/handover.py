"""What is built of a review, as a deposit to send."""

from __future__ import annotations

from pathlib import Path

from reviewdata.model import ReviewdataError
from reviewdata.release.deposit import Builder, Deposit


def make_builder(project: Path, publisher: str) -> Builder:
    """Return what builds the release of a review anew, with the DOIs it is given.

    `publisher` is the name of the repository, as the metadata of the release have it.
    """

    def build(doi: str | None, concept: str | None) -> Deposit:
        raise ReviewdataError(f"the release of {project} cannot be built yet")

    return build

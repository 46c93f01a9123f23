"""DOIs, ORCID iDs and licence ids: which texts are one."""

from __future__ import annotations

import re

from reviewdata.model import ReviewdataError

_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)?(10\.\d{4,9}/[!-~]+)", re.IGNORECASE)
_ORCID = re.compile(
    r"(?:https?://)?(?:www\.)?(?:orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])/?", re.IGNORECASE
)
_LIKE_ORCID = re.compile(r"orcid\.org|^\s*(?:\d{4}-){2}", re.IGNORECASE)


def find_doi(text: object) -> str | None:
    """Return the DOI (`10.1234/abc`) that a text or an address is, None where it is none."""
    match = _DOI.fullmatch(text.strip()) if isinstance(text, str) else None
    return match[1] if match else None


def take_doi(text: str | None, what: str) -> str | None:
    """Return a DOI that was given. Raises ReviewdataError where the text is none."""
    doi = find_doi(text)
    if text is not None and doi is None:
        raise ReviewdataError(f"the {what} {text} is no DOI; one is such as 10.5281/zenodo.1234")
    return doi


def is_like_orcid(text: object) -> bool:
    """Whether a text means to be an ORCID iD, right or wrong."""
    return isinstance(text, str) and bool(_LIKE_ORCID.search(text))


def find_orcid(text: object) -> str | None:
    """Return the ORCID iD that a text or an address is, None where it is none.

    Its last digit is not tested: see `has_orcid_checksum`.
    """
    match = _ORCID.fullmatch(text.strip()) if isinstance(text, str) else None
    return match[1].upper() if match else None


def has_orcid_checksum(orcid: str) -> bool:
    """Whether the last digit of an ORCID iD is that of the others (ISO 7064, MOD 11-2)."""
    digits, last = orcid[:-1].replace("-", ""), orcid[-1]
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11] == last


def spell_licence(name: str) -> str | None:
    """Return a licence's id as the SPDX list spells it, None where the list does not have it."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if not re.fullmatch(r"[0-9A-Za-z.+-]+", name) or name.lower().startswith("licenseref"):
        return None
    try:
        return str(canonicalize_license_expression(name))
    except InvalidLicenseExpression:
        return None

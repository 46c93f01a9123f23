"""What SQL does not take, so that frictionless does."""

from __future__ import annotations


class Beyond(Exception):  # noqa: N818 - no error: another engine takes the table
    """Why a table goes to frictionless, in words."""

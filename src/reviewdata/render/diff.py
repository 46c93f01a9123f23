"""A difference as JSON; text and Markdown follow."""

from __future__ import annotations

from reviewdata.changes import Diff
from reviewdata.render.json import json_text
from reviewdata.render.values import Paint


def diff_json(diff: Diff) -> str:
    return json_text({"version": "1", **diff.to_dict()}) + "\n"


def diff_text(diff: Diff, paint: Paint) -> str:
    return diff_json(diff)


def diff_markdown(diff: Diff) -> str:
    return diff_json(diff)

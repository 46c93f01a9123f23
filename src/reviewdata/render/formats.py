"""The formats of a validation, each of which can be made from a saved run."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from reviewdata.render.values import Paint, unpainted

if TYPE_CHECKING:
    from reviewdata.saved import SavedRun

Format = Literal["text", "concise", "json", "jsonl", "github", "markdown", "sarif", "junit"]


def render_run(
    run: SavedRun,
    format_: Format,
    *,
    ignore: Sequence[str] = (),
    show_all: bool = False,
    verbose: bool = False,
    where: str = "",
    paint: Paint = unpainted,
) -> str:
    """Return a run in a format; each is imported where it is asked for.

    `ignore` hides codes from people, `show_all` lists what is cut or does not count; JSON has
    always everything. `where` is the option that names the review, for the commands told.
    """
    hidden = [code.upper() for code in ignore]
    match format_:
        case "json":
            from reviewdata.render.json import validation_json

            return validation_json(run.validation)
        case "jsonl":
            from reviewdata.render.json import validation_jsonl

            return validation_jsonl(run)
        case "concise":
            from reviewdata.render.findings import validation_concise

            return validation_concise(run.validation, ignore=hidden)
        case "github":
            from reviewdata.render.github import validation_github

            return validation_github(
                run,
                secrets.token_hex(),
                ignore=hidden,
                show_all=show_all,
                verbose=verbose,
                where=where,
            )
        case "markdown":
            from reviewdata.render.comment import validation_markdown

            return validation_markdown(run, ignore=hidden, show_all=show_all)
        case "sarif":
            from reviewdata.render.sarif import validation_sarif

            return validation_sarif(run, ignore=hidden)
        case "junit":
            from reviewdata.render.junit import validation_junit

            return validation_junit(run, ignore=hidden)
        case _:
            from reviewdata.render.findings import validation_text

            told = validation_text(
                run.validation,
                run.rules,
                ignore=hidden,
                show_all=show_all,
                waivers=run.waivers,
                where=where,
                verbose=verbose,
                paint=paint,
            )
            if run.validation.diff is None:
                return told
            from reviewdata.render.diff import effect_lines

            effect = effect_lines(run.validation.diff, paint)
            return told + "".join(f"{line}\n" for line in (["", *effect] if effect else []))

"""What `fmt` did to each file, in words."""

from __future__ import annotations

from collections.abc import Sequence

from reviewdata.formatting import FileForm
from reviewdata.package import DESCRIPTOR
from reviewdata.render.values import plain, plural


def forms_text(forms: Sequence[FileForm], *, check: bool) -> str:
    """Return a line for each file that was, or would be, changed, and one with the numbers."""
    lines = []
    for form in forms:
        if form.reasons:
            also = f"; {DESCRIPTOR}: {', '.join(form.described)}" if form.described else ""
            lines.append(plain(f"{form.path}  {', '.join(form.reasons)}{also}"))
    changed = sum(bool(form.reasons) for form in forms)
    unfit = sum(form.unfit is not None for form in forms)
    skipped = sum(form.skipped is not None for form in forms)
    good = len(forms) - changed - unfit - skipped
    parts = [f"{plural(changed, 'file')} {'to format' if check else 'formatted'}"]
    parts += [f"{good} as {'it' if good == 1 else 'they'} should be"]
    parts += [f"{unfit} left as {'it is' if unfit == 1 else 'they are'}"] if unfit else []
    parts += [f"{skipped} of another format"] if skipped else []
    return "\n".join([*lines, ", ".join(parts)]) + "\n"


def unfit_text(forms: Sequence[FileForm]) -> list[str]:
    """Return a line for each file that was left as it is: where, why, and what to mend first."""
    lines = []
    for form in forms:
        if form.unfit is not None:
            where = form.path + (f":{form.unfit.line}" if form.unfit.line else "")
            said = f"{where}: left as it is: {form.unfit.why}. {form.unfit.fix}".rstrip()
            lines.append(plain(said))
    return lines

"""The R script beside the exported tables: escalc() and rma() of metafor, for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reviewdata.render.values import plain, shortened


@dataclass(frozen=True)
class Dataset:
    """A file of the export: the measure of its effects, and the columns escalc() takes.

    `others` are the measures that the same columns give.
    """

    file: str
    measure: str
    title: str
    columns: tuple[str, ...]
    others: tuple[str, ...]


def write_script(title: str, sets: Sequence[Dataset]) -> str:
    """Return the script. The names of files are plain (see file_names), so they need no escape."""
    parts = [_HEAD.format(title=shortened(plain(title), 80))]
    for number, entry in enumerate(sets, start=1):
        lines = [f"# {entry.title}"]
        name = f"dat{number}"
        lines.append(f'{name} <- read("{entry.file}")')
        if entry.columns:
            given = ", ".join(f"{column} = {column}" for column in entry.columns)
            also = f", or {', '.join(entry.others)}" if entry.others else ""
            lines += [
                f"# measure: {entry.measure}{also}. Where yi and vi are in the file, they are of",
                f"# other printed numbers, and {entry.measure}.",
                f'{name} <- effects({name}, measure = "{entry.measure}", {given})',
            ]
        lines.append(f'fit{number} <- pool({name}, "{entry.file}: {entry.measure}")')
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


_HEAD = """\
# {title}
# Written by `reviewdata export metafor`. It needs R and its package metafor:
#   Rscript analysis.R
# Each table has the columns that metafor names, then those of the review as printed. All rows of a
# table are pooled here: choose those of one outcome with subset(), for a figure to report.

suppressPackageStartupMessages(library(metafor))

path <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))
if (length(path) == 1) setwd(dirname(gsub("~+~", " ", path, fixed = TRUE)))

read <- function(file) {{
  read.csv(file, na.strings = "", encoding = "UTF-8", check.names = FALSE, comment.char = "",
           colClasses = c(study = "character", row = "character", yi = "numeric", vi = "numeric"))
}}

# What escalc() computes of a row goes where no effect is given.
effects <- function(dat, measure, ...) {{
  call <- match.call(expand.dots = FALSE)
  given <- lapply(call$..., function(column) as.numeric(dat[[as.character(column)]]))
  made <- do.call(escalc, c(list(measure = measure), given))
  empty <- is.na(dat$yi)
  dat$yi[empty] <- made$yi[empty]
  dat$vi[empty] <- made$vi[empty]
  dat
}}

pool <- function(dat, name) {{
  cat("\\n", name, "\\n", sep = "")
  used <- dat[!is.na(dat$yi) & !is.na(dat$vi), ]
  cat(nrow(dat), "rows,", nrow(used), "with an effect\\n")
  if (nrow(used) < 2) {{
    cat("too few to be pooled\\n")
    return(invisible(NULL))
  }}
  alone <- is.na(used$study)
  used$study[alone] <- paste("(no study)", used$row[alone])
  tryCatch({{
    if (anyDuplicated(used$study) && length(unique(used$study)) > 1) {{
      cat("several rows of one study: rows within studies\\n")
      fit <- rma.mv(yi, vi, random = ~ 1 | study / row, data = used)
    }} else {{
      fit <- rma(yi, vi, data = used, slab = used$study)
    }}
    print(fit)
    invisible(fit)
  }}, error = function(e) cat("not pooled:", conditionMessage(e), "\\n"))
}}
"""

"""Row rules on the alliance scores of this review."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa


def scale_or_note(frame: pd.DataFrame) -> pd.Series[bool]:
    """Hold where a mean has its range and score type, or a note that says why not."""
    told = frame[["scale_min", "scale_max", "score_type"]].notna().all(axis="columns")
    return frame["mean"].isna() | told | frame["note"].notna()


schema = pa.DataFrameSchema(checks=[pa.Check(scale_or_note, name="TA201", ignore_na=False)])

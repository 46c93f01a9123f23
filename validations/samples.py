"""Row rules on the independent samples of this review."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa


def n_with_source(frame: pd.DataFrame) -> pd.Series[bool]:
    """Hold where a number of clients has the source that prints it."""
    return frame["n"].isna() | frame["n_source_id"].notna()


def n_with_treatment(frame: pd.DataFrame) -> pd.Series[bool]:
    """Hold where a sample that could be pooled says whether its treatment is text-based."""
    return frame["n"].isna() | frame["text_based"].notna()


schema = pa.DataFrameSchema(
    checks=[
        pa.Check(n_with_source, name="TA204", ignore_na=False),
        pa.Check(n_with_treatment, name="TA205", ignore_na=False),
    ]
)

"""Row rules on the results on alliance and treatment outcome of this review."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa


def p_with_operator(frame: pd.DataFrame) -> pd.Series[bool]:
    """Hold where a p-value has its operator, and an operator its p-value."""
    return frame["p_value"].isna() == frame["p_operator"].isna()


def value_with_statistic(frame: pd.DataFrame) -> pd.Series[bool]:
    """Hold where a value has its statistic, and a test value its test."""
    value = frame["value"].isna() | frame["statistic"].notna()
    return value & (frame["test_value"].isna() | frame["test"].notna())


schema = pa.DataFrameSchema(
    checks=[
        pa.Check(p_with_operator, name="TA202", ignore_na=False),
        pa.Check(value_with_statistic, name="TA203", ignore_na=False),
    ]
)

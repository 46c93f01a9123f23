"""Row rules on the correlations of this review: they must have a Fisher z with a variance."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa


def people_for_fisher(frame: pd.DataFrame) -> pd.Series[bool]:
    """Hold where a correlation rests on four people or more; silent where one is missing."""
    enough = frame["people_count"] > 3
    return (enough.fillna(True) | frame["correlation_r"].isna()).astype(bool)


def correlation_with_people(frame: pd.DataFrame) -> pd.Series[bool]:
    """Hold where a correlation comes with the number of people it rests on."""
    return frame["correlation_r"].isna() | frame["people_count"].notna()


schema = pa.DataFrameSchema(
    checks=[
        pa.Check(people_for_fisher, name="ADH201", ignore_na=False),
        pa.Check(correlation_with_people, name="ADH202", ignore_na=False),
    ]
)

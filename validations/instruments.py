"""Row rules on the instruments of this review."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa


def value_with_source(frame: pd.DataFrame) -> pd.Series[bool]:
    """Hold where items and direction each have the source that prints them."""
    items = frame["items"].isna() | frame["items_source_id"].notna()
    return items & (frame["direction"].isna() | frame["direction_source_id"].notna())


schema = pa.DataFrameSchema(checks=[pa.Check(value_with_source, name="TA206", ignore_na=False)])

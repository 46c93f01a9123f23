"""Row rules of the example review."""

import pandera.pandas as pa

schema = pa.DataFrameSchema(
    checks=pa.Check(lambda rows: rows["mean"].isna() | rows["n"].notna(), name="EX201")
)

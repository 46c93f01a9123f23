"""Row rules on the counts of this review: an arm must add up."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa


def cases_within_total(frame: pd.DataFrame) -> pd.Series[bool]:
    """Hold where no arm has more cases than people; silent where a count is missing."""
    vaccinated = frame["vaccinated_cases"] <= frame["vaccinated_total"]
    control = frame["control_cases"] <= frame["control_total"]
    return (vaccinated.fillna(True) & control.fillna(True)).astype(bool)


def arms_add_up(frame: pd.DataFrame) -> pd.Series[bool]:
    """Hold where cases and non-cases of each arm give its total; silent where one is missing."""
    vaccinated = frame["vaccinated_cases"] + frame["vaccinated_noncases"]
    control = frame["control_cases"] + frame["control_noncases"]
    vaccinated_agrees = (vaccinated == frame["vaccinated_total"]).fillna(True)
    control_agrees = (control == frame["control_total"]).fillna(True)
    return (vaccinated_agrees & control_agrees).astype(bool)


schema = pa.DataFrameSchema(
    checks=[
        pa.Check(cases_within_total, name="BCG201", ignore_na=False),
        pa.Check(arms_add_up, name="BCG202", ignore_na=False),
    ]
)

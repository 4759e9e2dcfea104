"""The columns a model reads: their kinds, and the one conversion from raw values to what a pipeline accepts.

The conversion happens before the pipeline, not inside it: the pipeline holds only steps that also exist in ONNX.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from millrace.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

NUMERIC_KINDS = ("integer", "number")
TIME_KINDS = ("date", "timestamp")
BOOLEAN_KIND = "boolean"
CATEGORY_KIND = "category"
KINDS = (*NUMERIC_KINDS, *TIME_KINDS, BOOLEAN_KIND, CATEGORY_KIND)

MISSING_CATEGORY = ""
MAX_CATEGORIES = 50


@dataclass(frozen=True)
class Feature:
    """One input column. `categories` are the values that get a column of their own, learnt from the training rows."""

    name: str
    kind: str
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidInput(f"feature {self.name!r} has kind {self.kind!r}; a feature is one of {', '.join(KINDS)}")

    @property
    def is_category(self) -> bool:
        return self.kind == CATEGORY_KIND


def model_frame(frame: pd.DataFrame, features: Sequence[Feature]) -> pd.DataFrame:
    """Raw columns as a pipeline reads them: categories as text (missing is ""), everything else as float32.

    Dates and timestamps become seconds since 1970; float32 tells moments about two minutes apart. Infinities are
    missing values. Raises InvalidInput naming the columns that are not there or not of their kind.
    """
    import pandas as pd

    absent = [feature.name for feature in features if feature.name not in frame.columns]
    if absent:
        raise InvalidInput(f"the rows lack the columns {', '.join(absent)}, which the model reads")
    columns = {feature.name: _column(frame[feature.name], feature) for feature in features}
    return pd.DataFrame(columns, index=frame.index)


def learn_categories(frame: pd.DataFrame, features: Sequence[Feature]) -> tuple[Feature, ...]:
    """`features` with the categories found in `frame` (a model frame), the most frequent `MAX_CATEGORIES` of each.

    Rarer and unseen values get no column: a model sees them as "none of the known". The cap is explicit because an
    encoder's own grouping of rare values does not survive the conversion to ONNX.
    """
    return tuple(
        replace(feature, categories=_frequent(frame[feature.name])) if feature.is_category else feature
        for feature in features
    )


def empty_features(frame: pd.DataFrame, features: Sequence[Feature]) -> tuple[str, ...]:
    """Names of the features without a single value in `frame` (a model frame): nothing can be learnt from them."""
    return tuple(
        feature.name
        for feature in features
        if (frame[feature.name] == MISSING_CATEGORY if feature.is_category else frame[feature.name].isna()).all()
    )


def _frequent(values: pd.Series[Any]) -> tuple[str, ...]:
    counts = values.value_counts()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return tuple(sorted(str(value) for value, _ in ranked[:MAX_CATEGORIES]))


def _column(values: pd.Series[Any], feature: Feature) -> Any:
    if feature.is_category:
        return values.astype(object).where(values.notna(), MISSING_CATEGORY).map(str).astype(object)
    try:
        return _float32(_numbers(values, feature.kind))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"column {feature.name!r} is not of kind {feature.kind}: {error}") from error


def _numbers(values: pd.Series[Any], kind: str) -> npt.NDArray[np.float64]:
    import numpy as np
    import pandas as pd

    if kind == BOOLEAN_KIND:
        return values.astype("boolean").astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    told_as_numbers = pd.api.types.infer_dtype(values, skipna=True) in ("integer", "floating", "mixed-integer-float")
    if kind in TIME_KINDS and not told_as_numbers:
        moments = pd.to_datetime(values, utc=True, format="ISO8601")
        return ((moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)).to_numpy(dtype=np.float64)
    return pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)


def _float32(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    import numpy as np

    limit = float(np.finfo(np.float32).max)
    return np.clip(np.where(np.isfinite(numbers), numbers, np.nan), -limit, limit).astype(np.float32)

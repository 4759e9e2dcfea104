"""The first step of every pipeline: from a model frame to float32 numbers.

What may stand here is bounded by what converts to ONNX exactly: dense one-hot columns with explicit categories, no
missing-value indicators, no scaling in front of trees (rounding at split points changes predictions).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from millrace.algorithms.features import Feature


def column_transformer(features: Sequence[Feature], numbers: Any) -> Any:
    """`numbers` (a transformer or "passthrough") on the numeric columns, one-hot columns for the categories."""
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder

    numeric = [feature.name for feature in features if not feature.is_category]
    categorical = [feature for feature in features if feature.is_category]
    one_hot = OneHotEncoder(
        categories=[np.array(feature.categories, dtype=object) for feature in categorical],
        handle_unknown="ignore",
        sparse_output=False,
        dtype=np.float32,
    )
    steps = [("numbers", numbers, numeric), ("categories", one_hot, [feature.name for feature in categorical])]
    return ColumnTransformer([step for step in steps if step[2]], sparse_threshold=0, verbose_feature_names_out=False)


def median_imputer() -> Any:
    from sklearn.impute import SimpleImputer

    return SimpleImputer(strategy="median")

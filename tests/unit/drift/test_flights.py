"""Real change: a model trained on winter flights looks at July. The weather is another; routes and hours are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from millrace.analytics.drift.decision import judge_drift
from millrace.analytics.profiling import DatasetProfile, Profiler
from millrace.domain.drift import DriftJudgement, DriftVerdict

EXAMPLES = Path(__file__).parents[3] / "examples"
CATEGORIES = ("carrier", "origin", "dest", "plane_manufacturer", "plane_engine")
NOT_FEATURES = ("flight_id", "scheduled_at", "late")


def profile_of(flights: pd.DataFrame) -> DatasetProfile:
    names = [name for name in flights.columns if name not in NOT_FEATURES]
    kinds = {name: "category" if name in CATEGORIES else "number" for name in names}
    profiler = Profiler(kinds, None)
    rows = pa.table(
        {name: pa.array(flights[name], pa.string() if kinds[name] == "category" else pa.float64(), from_pandas=True)
         for name in names}
    )  # fmt: skip
    profiler.add(rows, np.zeros(rows.num_rows, dtype=np.int64))
    return profiler.profile


def flights(name: str) -> pd.DataFrame:
    return pd.read_csv(EXAMPLES / name, low_memory=False)


def verdicts(judgement: DriftJudgement) -> dict[str, DriftVerdict]:
    return {feature.feature: feature.verdict for feature in judgement.features}


def test_in_july_the_weather_drifts_and_distance_and_hour_do_not() -> None:
    importances = {"temp": 0.22, "dewp": 0.1, "sched_dep_hour": 0.4, "distance": 0.28}
    judgement = judge_drift(
        profile_of(flights("flights.csv")), profile_of(flights("flights_july.csv")), importances=importances
    )
    found = verdicts(judgement)
    assert {name for name in ("temp", "dewp", "wind_speed") if found[name] is DriftVerdict.DRIFT} >= {"temp", "dewp"}
    assert found["distance"] is DriftVerdict.OK
    assert found["sched_dep_hour"] is DriftVerdict.OK
    assert "`temp` rose by" in judgement.sentence
    assert "this feature carries 22 % of the model" in judgement.sentence


def test_a_random_half_of_winter_is_like_the_other_half() -> None:
    winter = flights("flights.csv").sample(frac=1, random_state=3)
    judgement = judge_drift(profile_of(winter[:3000]), profile_of(winter[3000:]))
    assert set(verdicts(judgement).values()) == {DriftVerdict.OK}

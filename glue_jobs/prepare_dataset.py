"""The Glue job PrepareDataset: prepares the upload that `--request_uri` describes. The same on Glue 5.1 and locally.

A file that makes one section is prepared here in the driver; Spark starts only when there are several (ADR 0003).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from millrace import bootstrap
from millrace.analytics.preparation import KnownRepeats, OneProcess, Repeats
from millrace.analytics.records import Section
from millrace.use_cases.prepare_dataset import prepare_dataset

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
_KEYS_PER_BATCH = 50_000


class SparkEngine:
    """Runs sections as Spark tasks. The session is made when the second section asks for it."""

    def __init__(self) -> None:
        self._alone = OneProcess()

    @cached_property
    def _spark(self) -> Any:
        from pyspark.sql import SparkSession

        builder = (
            SparkSession.builder.appName("PrepareDataset")
            .config("spark.sql.ansi.enabled", "false")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        )
        # The master is whoever submitted the job: naming one here would take Glue's cluster away from it.
        return builder.getOrCreate()

    def run(self, task: Callable[[Section], T], sections: Sequence[Section]) -> Iterable[T]:
        if len(sections) == 1:
            return self._alone.run(task, sections)
        context = self._spark.sparkContext
        shared = context.broadcast(task)
        results: list[T] = context.parallelize(sections, len(sections)).map(lambda each: shared.value(each)).collect()
        return results

    def repeats(
        self, keys_of: Callable[[Section], Iterator[tuple[bytes, int]]], sections: Sequence[Section]
    ) -> Mapping[int, Repeats]:
        """Shuffles the keys: a row that is not the first with its key learns the first one's line."""
        if len(sections) == 1:
            return self._alone.repeats(keys_of, sections)
        from pyspark.sql import Window
        from pyspark.sql import functions as F  # noqa: N812  Spark's own convention

        rows = [(section.number, section.start, section.end, section.first_line) for section in sections]
        frame = self._spark.createDataFrame(
            self._spark.sparkContext.parallelize(rows, len(rows)), "number int, start long, end long, first_line long"
        )
        keys = frame.mapInArrow(_key_batches(keys_of), "section int, key binary, line long")
        first = F.min("line").over(Window.partitionBy("key"))
        repeated = keys.withColumn("first", first).where("line > first").select("section", "line", "first").toPandas()
        return {
            section.number: KnownRepeats.of(found["line"].to_numpy(), found["first"].to_numpy())
            for section in sections
            for found in [repeated[repeated["section"] == section.number]]
        }


def _key_batches(
    keys_of: Callable[[Section], Iterator[tuple[bytes, int]]],
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def batches(described: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from itertools import islice

        import pyarrow as pa

        for batch in described:
            for row in batch.to_pylist():
                keys = keys_of(Section(row["number"], row["start"], row["end"], row["first_line"]))
                while taken := list(islice(keys, _KEYS_PER_BATCH)):
                    sections = pa.array([row["number"]] * len(taken), pa.int32())
                    columns = [sections, *(pa.array(values) for values in zip(*taken, strict=True))]
                    yield pa.record_batch(columns, names=["section", "key", "line"])

    return batches


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--request_uri", required=True)
    arguments, _ = parser.parse_known_args(argv)  # Glue adds arguments of its own
    report = prepare_dataset(arguments.request_uri, store_factory=bootstrap.object_store, engine=SparkEngine())
    if report.rejection is not None:
        print(f"refused: {report.rejection}")
    elif report.quality is not None:
        quality = report.quality
        print(f"{quality.rows_in} rows: {quality.accepted} accepted, {quality.quarantined} set aside")


if __name__ == "__main__":
    main()

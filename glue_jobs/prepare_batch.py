"""The Glue job PrepareBatch: the rows of a batch inference, read and judged as an upload is.

An input that makes one section is prepared in the driver; Spark starts only when there are
several, as in PrepareDataset.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from glue_jobs.prepare_dataset import SparkEngine
from millrace import bootstrap
from millrace.use_cases.prepare_batch import prepare_batch


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--request_uri", required=True)
    parser.add_argument("--container_code_uri", required=True)
    arguments, _ = parser.parse_known_args(argv)  # Glue adds arguments of its own
    report = prepare_batch(
        arguments.request_uri,
        arguments.container_code_uri,
        store_factory=bootstrap.object_store,
        engine=SparkEngine(),
    )
    if report.rejection is not None:
        print(f"refused: {report.rejection}")
    else:
        print(f"{report.rows_in} rows: {report.accepted} accepted in {report.shards} shards, {report.quarantined} not")


if __name__ == "__main__":
    main()

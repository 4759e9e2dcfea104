"""Metrics read from a job's output."""

from local.jobs.metrics import MetricReader


def read(regex: str, *lines: str) -> list[float]:
    reader = MetricReader([{"Name": "auc", "Regex": regex}])
    for line in lines:
        reader.read(line)
    return [item["Value"] for item in reader.final()]


def test_the_last_value_counts() -> None:
    assert read(r"auc=([0-9.]+);", "auc=0.5;", "loss=9;", "auc=0.75;") == [0.75]


def test_several_values_in_a_line_are_all_read() -> None:
    assert read(r"auc=([0-9.]+);", "auc=0.1; auc=0.2;") == [0.2]


def test_a_metric_that_never_appeared_is_not_listed() -> None:
    assert read(r"auc=([0-9.]+);", "nothing") == []


def test_what_is_not_a_number_is_no_data_point() -> None:
    assert read(r"auc=(\S+)", "auc=0.5", "auc=n/a") == [0.5]


def test_metrics_keep_the_order_of_their_definitions() -> None:
    reader = MetricReader([{"Name": "b", "Regex": r"b=(\d)"}, {"Name": "a", "Regex": r"a=(\d)"}])
    reader.read("a=1 b=2")

    assert [(item["MetricName"], item["Value"]) for item in reader.final()] == [("b", 2.0), ("a", 1.0)]

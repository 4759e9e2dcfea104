"""The command line and environment with which a Glue script runs on a local Spark."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

CORES = 2
DRIVER_MEMORY = "2g"
SPARK_VERSION_OF_GLUE = {"5.0": "3.5", "5.1": "3.5"}

# What a laptop needs and a cluster does not; a job's own --conf wins.
LOCAL_CONF = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "4",
}


def parse_conf(value: str) -> dict[str, str]:
    """Glue's `--conf` argument: `a=1 --conf b=2 …`, the documented way to give several."""
    settings = {}
    for part in re.split(r"\s+--conf\s+", value.strip()):
        if part:
            name, separator, setting = part.partition("=")
            if not separator:
                raise ValueError(f"--conf expects name=value, not {part!r}")
            settings[name.strip()] = setting.strip()
    return settings


def submit_arguments(conf: Mapping[str, str], directory: Path) -> str:
    """The value of PYSPARK_SUBMIT_ARGS; everything that Spark writes on its own goes below `directory`."""
    settings = {
        **LOCAL_CONF,
        "spark.local.dir": str(directory / "tmp"),
        "spark.sql.warehouse.dir": str(directory / "spark-warehouse"),
        **conf,
    }
    java = f"-Djava.io.tmpdir={directory / 'tmp'} -Dderby.system.home={directory} -Duser.timezone=UTC"
    arguments = ["--master", f"local[{CORES}]", "--driver-memory", DRIVER_MEMORY, "--driver-java-options", java]
    for name, setting in settings.items():
        arguments += ["--conf", f"{name}={setting}"]
    return shlex.join([*arguments, "pyspark-shell"])


def spark_environment(conf: Mapping[str, str], directory: Path, *, python: str, java_home: Path) -> dict[str, str]:
    """What a driver started as a plain Python script needs."""
    return {
        "JAVA_HOME": str(java_home),
        "PYSPARK_PYTHON": python,
        "PYSPARK_DRIVER_PYTHON": python,
        "PYSPARK_SUBMIT_ARGS": submit_arguments(conf, directory),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "TZ": "UTC",
    }

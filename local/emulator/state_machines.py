"""Step Functions."""

from local.context import EmulatorContext


def install(context: EmulatorContext) -> None:
    """placeholder"""


def announce_interrupted() -> list[str]:
    return []

"""CloudWatch: metrics that AWS derives from logs and executions, and alarms that look at their own dimensions."""

from local.context import EmulatorContext


def install(context: EmulatorContext) -> None:
    """placeholder"""

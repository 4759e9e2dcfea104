"""The one release of ministack that the hooks were written against."""

from importlib.metadata import version

SUPPORTED = "1.5.33"


class UnsupportedRelease(RuntimeError):
    """Another ministack is installed than the one the hooks lean on."""


def require_supported(installed: str | None = None) -> None:
    """Raise UnsupportedRelease unless the installed ministack is exactly `SUPPORTED`.

    The hooks replace private functions; on another release they would fail late and obscurely.
    """
    found = version("ministack") if installed is None else installed
    if found != SUPPORTED:
        raise UnsupportedRelease(
            f"The embedded AWS needs ministack {SUPPORTED}, but {found} is installed. "
            f"Install the locked dependencies again (uv sync), or port local/emulator to {found} "
            "and run tests/contract/test_ministack_symbols.py."
        )

"""How a running job is told to stop, and how others learn that it ended."""

import threading


class JobControl:
    """The handle of one running job. `finished` is set when its document is final."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.interrupt = threading.Event()
        self.finished = threading.Event()

    def wait(self, seconds: float) -> None:
        """Sleep, but wake when the job is told to stop."""
        self.stop.wait(seconds)


class JobSlots:
    """Lets a bounded number of jobs run at once; the others wait in the order in which they came."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError("at least one job must be able to run")
        self._free = count
        self._waiting: list[JobControl] = []
        self._changed = threading.Condition()

    def take(self, control: JobControl, timeout_seconds: float | None = None) -> bool:
        """Wait for a slot. False when the job was stopped or the time ran out before it got one."""
        with self._changed:
            self._waiting.append(control)
            try:
                self._changed.wait_for(lambda: control.stop.is_set() or self._is_next(control), timeout_seconds)
                if control.stop.is_set() or not self._is_next(control):
                    return False
                self._free -= 1
                return True
            finally:
                self._waiting.remove(control)
                self._changed.notify_all()

    def give_back(self) -> None:
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def look_again(self) -> None:
        """Call after a waiting job was told to stop."""
        with self._changed:
            self._changed.notify_all()

    def _is_next(self, control: JobControl) -> bool:
        return self._free > 0 and self._waiting[0] is control

"""How much memory the functions of a pipeline's states have: templates are made of it, and costs reckoned with it."""

from __future__ import annotations

# 1,769 MB is one whole vCPU; below it, time is billed for waiting on a share of one.
ONE_VCPU_MB = 1769
MEMORY_MB = 1024
_ONE_VCPU = frozenset({"CheckServingArtefact", "DetectDrift", "ProfileBaseline"})


def memory_of(state: str) -> int:
    """Of the function that a state of this name calls: it has the state's name."""
    return ONE_VCPU_MB if state in _ONE_VCPU else MEMORY_MB

"""Verify the audit trail: every chain from its first entry to its head."""

from __future__ import annotations

from collections.abc import Sequence

from millrace.domain.audit import chain_faults
from millrace.domain.entity import Entity
from millrace.ports import AuditTrail

_ATTEMPTS = 5


class AuditReport(Entity):
    """`faults` names each entry that was altered, removed or put in; without any the trail is whole."""

    chains: int
    entries: int
    faults: tuple[str, ...]


def verify_audit(*, trail: AuditTrail) -> AuditReport:
    """Reads everything, one chain at a time. A chain that grows meanwhile is read again."""
    chains, entries, faults = 0, 0, []
    for subject in _subjects(trail):
        length, found = _verify(trail, subject)
        chains, entries = chains + 1, entries + length
        faults += found
    return AuditReport(chains=chains, entries=entries, faults=tuple(faults))


def _subjects(trail: AuditTrail) -> Sequence[str]:
    """Those with a head, and those that only entries speak of: a head that was removed leaves its entries behind."""
    found = dict.fromkeys(trail.subjects())
    position: str | None = None
    while True:
        page = trail.page(after=position, limit=500)
        found.update(dict.fromkeys(entry.subject for entry in page.items))
        position = page.position
        if position is None:
            return list(found)


def _verify(trail: AuditTrail, subject: str) -> tuple[int, list[str]]:
    """How many entries the chain's head names, and what is wrong with the chain."""
    head = trail.head(subject)
    for _ in range(_ATTEMPTS):
        faults = list(chain_faults(subject, trail.chain(subject), head))
        seen, head = head, trail.head(subject)
        if not faults or seen == head:
            break
    return head.sequence if head else 0, faults

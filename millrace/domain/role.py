"""Roles: what a person or a machine may do. Each right is listed; no role contains another but `admin`."""

from __future__ import annotations

from enum import StrEnum

from millrace import names


class Role(StrEnum):
    """Groups of the user pool for people, scopes for machines."""

    VIEWER = names.VIEWER_ROLE
    SCIENTIST = names.SCIENTIST_ROLE
    APPROVER = names.APPROVER_ROLE
    ADMIN = names.ADMIN_ROLE


EVERYONE = frozenset(Role)
# Whoever trains a model version is not by that allowed to let it go live, and the other way round.
SCIENTISTS = frozenset({Role.SCIENTIST, Role.ADMIN})
# A viewer looks; who asks for predictions leaves records.
PREDICTORS = frozenset({Role.SCIENTIST, Role.APPROVER, Role.ADMIN})
# Who takes an alert on decides what others are told.
RESPONDERS = PREDICTORS
APPROVERS = frozenset({Role.APPROVER, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})

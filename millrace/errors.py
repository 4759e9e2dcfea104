"""One error tree. Class names are the contract with Step Functions (`Catch`) and with HTTP. Imports nothing.

Each error names a state, and its message says what is wrong, where, and what to do.
"""


class PlatformError(Exception):
    """Base of everything the platform raises on purpose."""


class InvalidInput(PlatformError):
    """What a person or another system sent does not have the form it must have."""


class DatasetInvalid(PlatformError):
    """An upload is refused as a whole: nothing of it becomes a dataset version."""


class NotFound(PlatformError):
    """The named thing does not exist."""


class Conflict(PlatformError):
    """The change lost against another change, or the thing is not in a state that allows it."""


class AlreadyDecided(Conflict):
    """Somebody approved or rejected this model version before."""


class ContractMoved(Conflict):
    """The dataset's contract changed while an upload was being prepared against the older one."""


class TrainingImpossible(PlatformError):
    """The dataset version cannot be trained on as it is: no target, one class, too few rows."""


class TrainingFailed(PlatformError):
    """No candidate was trained, so there is nothing to evaluate."""


class EvaluationInvalid(PlatformError):
    """An evaluation report is missing or does not match the run it claims to describe."""


class RowFault:
    """One value of one row that a model cannot read."""

    def __init__(self, row: int, column: str, reason: str) -> None:
        self.row, self.column, self.reason = row, column, reason

    def __str__(self) -> str:
        return f"row {self.row}, column {self.column!r}: {self.reason}"


class RowsInvalid(InvalidInput):
    """Rows do not have the form that the model's signature asks for."""

    def __init__(self, faults: list[RowFault], total: int) -> None:
        more = f", and {total - len(faults)} more" if total > len(faults) else ""
        super().__init__("; ".join(str(fault) for fault in faults) + more)
        self.faults = faults


class ServingRefused(PlatformError):
    """A model version cannot be served as it is: its serving artefact does not predict what was trained."""


class NotDeployed(Conflict):
    """The model has no version that answers predictions yet."""


class EndpointFailed(PlatformError):
    """A SageMaker endpoint did not come into service, or did not answer."""


class RolloutEnded(Conflict):
    """Somebody ended the rollout meanwhile: the challenger gets no more requests."""


class RolloutFailed(PlatformError):
    """The challenger did worse than the champion on the requests it was given."""


class NotSignedIn(PlatformError):
    """The request comes without a token that says who sends it."""


class NotAllowed(PlatformError):
    """Who asks is known, and may not do this."""


class ChangedMeanwhile(Conflict):
    """The thing is no longer at the revision that the change was decided on (`If-Match`)."""


class KeyReused(Conflict):
    """An Idempotency-Key came before, with another request."""


class RequestTooLarge(PlatformError):
    """The request is larger than this way in takes."""


class TooManyRequests(PlatformError):
    """Who asks asks too often."""

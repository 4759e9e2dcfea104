"""An error as an AWS service reports it."""


class ServiceError(Exception):
    """A refused request: `code` is the service's error code, `modeled` tells whether the service model lists it."""

    def __init__(self, code: str, message: str, *, modeled: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.modeled = modeled


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)

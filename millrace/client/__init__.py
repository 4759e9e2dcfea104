"""A client of the REST API: what a script needs to work with the platform, and no AWS credentials.

    client = Client("https://mlops.example.com/api", ApiKey("mr_..."))
    run_id = client.upload(Path("may.csv"), "churn")
    print(client.wait_for_run(run_id)["outcome"])

Answers are the documents that contracts/openapi.json describes, as dictionaries. What the API refuses is raised as a
`Problem`. The package imports the standard library alone.
"""

from millrace.client.api import Client, Reply, RunUnfinished, at
from millrace.client.credentials import AccessToken, ApiKey, Credentials, MachineSignIn
from millrace.client.problems import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, Problem, TooManyRequests
from millrace.client.transfers import UploadInterrupted
from millrace.client.transport import Answer, Request, Send, Unreachable, send

__all__ = [
    "AccessToken",
    "Answer",
    "ApiKey",
    "Client",
    "Conflict",
    "Credentials",
    "Invalid",
    "MachineSignIn",
    "NotAllowed",
    "NotFound",
    "NotSignedIn",
    "Problem",
    "Reply",
    "Request",
    "RunUnfinished",
    "Send",
    "TooManyRequests",
    "Unreachable",
    "UploadInterrupted",
    "at",
    "send",
]

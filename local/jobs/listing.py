"""The List operations: filters, order and pages, the same for every kind of resource."""

from collections.abc import Sequence

from local.jobs.documents import Document
from local.jobs.service_error import invalid

DEFAULT_PAGE = 10


def list_page(
    documents: Sequence[Document], request: Document, *, name_key: str, status_key: str = ""
) -> tuple[list[Document], str]:
    """One page and the token of the next (empty at the end), newest first unless the request says otherwise."""
    chosen = [item for item in documents if _matches(item, request, name_key, status_key)]
    by = str(request.get("SortBy", "CreationTime"))
    field = {"Name": name_key, "Status": status_key}.get(by, by)
    chosen.sort(key=lambda item: item.get(field, 0), reverse=request.get("SortOrder", "Descending") == "Descending")
    return page_of(chosen, request)


def page_of(documents: Sequence[Document], request: Document) -> tuple[list[Document], str]:
    """The page that NextToken and MaxResults ask for, and the token of the next one (empty at the end)."""
    start = _start(request.get("NextToken", "0"))
    end = start + request.get("MaxResults", DEFAULT_PAGE)
    return list(documents[start:end]), str(end) if end < len(documents) else ""


def _start(token: str) -> int:
    if not token.isdigit():
        raise invalid("The token is not valid")
    return int(token)


def _matches(item: Document, request: Document, name_key: str, status_key: str) -> bool:
    if request.get("NameContains", "") not in item[name_key]:
        return False
    if "StatusEquals" in request and item.get(status_key) != request["StatusEquals"]:
        return False
    for field in ("CreationTime", "LastModifiedTime"):
        moment = item.get(field, 0.0)
        if moment <= request.get(f"{field}After", -1.0) or moment >= request.get(f"{field}Before", float("inf")):
            return False
    return True

"""The deployed API against its own contract: whatever the contract allows to be sent, the answer is one it names.

Requests are generated from the contract by schemathesis, the same ones each time: single requests of every operation,
well-formed and not, and chains along the links that answers offer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case, Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lambdas.api.app import contract
from millrace.adapters.dynamodb import DynamoDatasetCatalog, DynamoModelRegistry, DynamoRunLedger, Table
from millrace.domain import place
from tests.builders import NOON, a_model_version, a_run, an_upload
from tests.integration.api.conftest import Deployed, deployment
from tests.unit.api.requests_of import PARAMETERS

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
EXAMPLES_OF_EACH, CHAINS, LONGEST_CHAIN = 8, 12, 6
SECONDS, TOO_LONG = 60.0, 431
# The order in which what exists is tried for a parameter of a path: often it, sometimes anything the contract allows.
KNOWN = {name: value for name, value in PARAMETERS.items() if name != "upload_id"}

schema = schemathesis.openapi.from_dict(contract())


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Half of the generated names become those of things that exist: what is not there answers 404 and no more."""
    if path_parameters is None:
        return None
    return {
        name: KNOWN[name] if name in KNOWN and len(str(value)) % 2 else value for name, value in path_parameters.items()
    }


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, local_assembly: Path) -> Iterator[Deployed]:
    """A platform of its own: what is sent here changes things that other tests count on."""
    with deployment(tmp_path_factory.mktemp("held"), local_assembly) as found:
        yield found


@pytest.fixture(scope="module")
def seeded(deployed: Deployed) -> Deployed:
    """Something to find: a dataset with a file that arrived, a run, a model with a version that waits."""
    table = Table(deployed.running.session().client("dynamodb"), deployed.outputs["RegistryTable"])
    catalog, registry = DynamoDatasetCatalog(table), DynamoModelRegistry(table)
    catalog.ensure("credit", at=NOON, actor="user:ada")
    upload = catalog.open_upload(an_upload())
    bucket = deployed.outputs["DataBucket"]
    catalog.claim_content(
        upload,
        location_prefix=place.datasets_uri(bucket, "credit"),
        quarantine_prefix=place.quarantine_uri(bucket, "credit"),
        at=NOON,
    )
    DynamoRunLedger(table).open(a_run("training-1", pipeline="training", dataset="credit"))
    number = registry.claim_number("credit", dataset="credit", run_id="training-1", algorithm="xgboost", at=NOON)
    registry.register(a_model_version(number), actor="user:ada")
    return deployed


@schema.parametrize()
@settings(
    max_examples=EXAMPLES_OF_EACH,
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_sent_the_answer_is_one_that_the_contract_names(case: Case, seeded: Deployed) -> None:
    answer = case.call(
        base_url=seeded.outputs["ApiUrl"], headers=signed_in(seeded, case), session=unproxied(), timeout=SECONDS
    )
    # What is too long for any header or address is the gateway's to refuse, on AWS as here.
    if answer.status_code != TOO_LONG:
        case.validate_response(answer, checks=list(CHECKS))


def test_chains_along_the_links_of_answers_hold_too(seeded: Deployed) -> None:
    class Chains(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"base_url": seeded.outputs["ApiUrl"], "headers": signed_in(seeded, case), "session": unproxied()}

        def validate_response(self, response: Response, case: Case, **kwargs: Any) -> None:
            case.validate_response(response, checks=list(CHECKS))

    Chains.run(
        settings=settings(
            max_examples=CHAINS,
            stateful_step_count=LONGEST_CHAIN,
            derandomize=True,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
    )


def signed_in(deployed: Deployed, case: Case) -> dict[str, str]:
    """Who may do everything: several people in turn, so that none asks more often than one may."""
    name = f"admin-{len(case.id.encode()) + sum(case.id.encode()) % 4}"
    if name not in deployed.tokens:
        deployed.tokens[name] = deployed.person(name, "admin")
    return {"Authorization": f"Bearer {deployed.tokens[name]}"}


def unproxied() -> requests.Session:
    """A proxy of the host must not see loopback traffic."""
    session = requests.Session()
    session.trust_env = False
    return session

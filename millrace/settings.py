"""What the environment tells the code. The only place that touches `os.environ`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from millrace import names
from millrace.errors import InvalidInput


@dataclass(frozen=True)
class Settings:
    """Names of the deployed resources. Empty where a function was not given one: least privilege includes knowledge."""

    data_bucket: str = ""
    artifacts_bucket: str = ""
    registry_table: str = ""
    notifications_topic_arn: str = ""
    dashboard_url_parameter: str = ""
    event_bus_name: str = ""
    ingest_state_machine_arn: str = ""
    training_state_machine_arn: str = ""
    deployment_state_machine_arn: str = ""
    batch_inference_state_machine_arn: str = ""
    drift_state_machine_arn: str = ""
    comparison_state_machine_arn: str = ""
    inference_records_queue_url: str = ""
    schedule_group: str = ""
    schedule_target_arn: str = ""
    schedule_role_arn: str = ""
    deliveries_queue_url: str = ""
    channel_secrets_prefix: str = ""
    loopback_webhooks: str = ""
    spot_capacity: str = ""
    approvals: str = ""
    endpoint_machine: str = ""
    endpoint_most_machines: str = ""
    training_image: str = ""
    code_digest: str = ""
    site_bucket: str = ""
    distribution_id: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        source = os.environ if environ is None else environ
        return cls(**{field.name: source.get(field.name.upper(), "") for field in fields(cls)})

    @property
    def spot(self) -> bool:
        """Whether training may run on capacity that may be taken away."""
        return self.spot_capacity != "refused"

    @property
    def four_eyes(self) -> bool:
        """Whether nobody may approve what came of a run of their own, whatever its dataset says."""
        return self.approvals == "four_eyes"

    @property
    def most_machines(self) -> int:
        """Up to how many a realtime endpoint grows."""
        return int(self.endpoint_most_machines or 1)

    def require(self, field: str) -> str:
        """The value of `field`. Raises InvalidInput when this function was deployed without it."""
        value: str = getattr(self, field)
        if not value:
            raise InvalidInput(
                f"the environment variable {field.upper()} is not set, so this function cannot do its work"
            )
        return value


@dataclass(frozen=True)
class ContainerSettings:
    """Where a SageMaker container keeps things. `base_dir` differs only outside a container.

    `artifact_digest` names the artefact that a serving container may open; empty in jobs, which are told otherwise.
    """

    base_dir: Path
    artifact_digest: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> ContainerSettings:
        source = os.environ if environ is None else environ
        return cls(
            base_dir=Path(source.get("SAGEMAKER_BASE_DIR", "/opt/ml")),
            artifact_digest=source.get("ARTIFACT_DIGEST", ""),
        )


def use_profile(config: Path, profile: str) -> None:
    """Make this process use one profile of one AWS config file, whatever credentials the shell holds.

    Credentials in the environment would win over a profile, and a person's real keys must never sign a local request.
    """
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(AWS_CONFIG_FILE=str(config), AWS_PROFILE=profile)


assert {field.name.upper() for field in fields(Settings)} == set(names.SETTINGS)

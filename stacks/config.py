"""The environments. To add one, add an entry to ENVIRONMENTS; no code asks which environment it is in."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from typing import Literal

import aws_cdk as cdk


@dataclass(frozen=True)
class LambdaTarget:
    """What runs packages that we build: the functions, or the container of jobs.

    `wheel_platform` is uv's `--python-platform`; None means the machine that builds the package.
    """

    python_version: str
    architecture: str
    wheel_platform: str | None


# Amazon Linux 2023 has glibc 2.34; onnxruntime wants 2.28.
GRAVITON = LambdaTarget(python_version="3.13", architecture="arm64", wheel_platform="aarch64-manylinux_2_28")
SAGEMAKER_IMAGE = LambdaTarget(python_version="3.12", architecture="x86_64", wheel_platform="x86_64-manylinux_2_28")


def this_machine() -> LambdaTarget:
    """Functions of the local platform run as processes of this machine, so their wheels must load here."""
    return LambdaTarget(
        python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
        architecture="arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64",
        wheel_platform=None,
    )


@dataclass(frozen=True)
class BackupConfig:
    """Daily recovery points in a vault of their own, kept for `kept_days` (at most 35: objects to the second).

    `copies` are ARNs of vaults in another region or account that get a copy of each; they must be there before.
    """

    kept_days: int = 35
    copies: tuple[str, ...] = ()


@dataclass(frozen=True)
class PromotionSource:
    """Where model versions may be taken over from: the artifacts bucket of another environment.

    `key_arn` is that environment's key, when it has one of its own (`customer_key`).
    """

    artifacts_bucket: str
    key_arn: str | None = None


@dataclass(frozen=True)
class EnvironmentConfig:
    """One deployment of the platform.

    Without `account` and `region` the templates fit any: they go where the deploying credentials point.
    `run_files_days` is how long plans, checkpoints and raw job outputs of a run are kept; registered models are
    copied out of there and stay. `notification_email` gets every notification.

    `dashboard_url` is where people open the dashboard when a name of one's own leads to its distribution, for example
    `https://mlops.example.com`: messages link there. Without it they link to CloudFront's name.

    `allowed_origins` are the browser applications that may call the API and sign people in, for example
    `https://portal.example.com`. `requests_per_second` is for all callers together; bursts may be twice that.
    `loopback_webhooks` is "allowed" where webhooks may go to the machine itself. Of `monthly_budget_usd` people are
    warned at four fifths, and when a day's runs cost a tenth of it. An alarm costs a tenth of a dollar a month:
    without `dead_letter_alarms` one on events that functions dropped stands for those on each queue. One that joins
    others costs half a dollar: with `pipelines_join` whatever is wrong with pipelines is told as one.
    `backup` is for environments whose loss would hurt: a vault with recovery points in it cannot be removed.
    `password_sign_in` lets whoever has AWS credentials exchange a user's password for tokens, without a browser.

    CloudTrail's record of who changed model versions and the registry is kept for `trail_days`; with `trail_reads`
    it has reads of model versions too. Both are paid by event. With `second_factor` "required" nobody signs in by a
    password alone.

    What costs by the month is off until an environment asks for it: `customer_key` puts everything at rest under a key
    of the account's own (1 USD a month, and by use). `private_jobs` places SageMaker jobs into subnets without a way to
    the internet, which itself is free; each of `interface_endpoints` (`logs`, `sts`, …) is paid by the hour in both.
    `firewall` is "managed" for AWS's rules before the front door (9 USD a month), or the ARN of a web ACL of one's own.

    `job_image` is an image of the account's own in place of AWS's, made from it (docs/runbook.md).
    `job_machine` is what exports and batches run on, `endpoint_machine` what realtime endpoints are made of; a training
    run's machine is its dataset's choice (`training.instance_type`). With `spot` "refused" no training job runs on
    capacity that may be taken away. With `approvals` "four_eyes" nobody approves what came of a run of their own,
    whatever the dataset says. `warm_predictions` are instances of the function Predict that are kept started, paid by
    the hour (provisioned concurrency); a realtime endpoint grows up to `endpoint_most_machines` with its requests.

    `promotes_to` are the accounts whose platforms may take model versions from this one, `takes_from` the environments
    whose versions may come here. `operators` are ARNs, or patterns of ARNs, of who may assume the two roles for it;
    without any, whom the account's own policies let.
    """

    name: str
    removal_policy: cdk.RemovalPolicy
    log_days: int
    run_files_days: int
    noncurrent_days: int
    deletion_protection: bool = False
    lambda_target: LambdaTarget = GRAVITON
    container_target: LambdaTarget = SAGEMAKER_IMAGE
    account: str | None = None
    region: str | None = None
    notification_email: str | None = None
    dashboard_url: str | None = None
    allowed_origins: tuple[str, ...] = ()
    requests_per_second: int = 100
    password_sign_in: bool = False
    loopback_webhooks: str = "refused"
    monthly_budget_usd: float = 100.0
    dead_letter_alarms: bool = True
    pipelines_join: bool = True
    backup: BackupConfig | None = None
    trail_days: int = 90
    trail_reads: bool = False
    second_factor: Literal["optional", "required"] = "optional"
    customer_key: bool = False
    private_jobs: bool = False
    interface_endpoints: tuple[str, ...] = ()
    job_image: str | None = None
    job_machine: str = "ml.m5.large"
    endpoint_machine: str = "ml.m5.large"
    spot: Literal["allowed", "refused"] = "allowed"
    approvals: Literal["one_person", "four_eyes"] = "one_person"
    warm_predictions: int = 0
    endpoint_most_machines: int = 1
    firewall: str | None = None
    promotes_to: tuple[str, ...] = ()
    takes_from: tuple[PromotionSource, ...] = ()
    operators: tuple[str, ...] = ()

    @property
    def origins(self) -> tuple[str, ...]:
        """Where the dashboard may be opened, beside CloudFront's own name."""
        return (*([self.dashboard_url] if self.dashboard_url else []), *self.allowed_origins)


ENVIRONMENTS = {
    config.name: config
    for config in (
        EnvironmentConfig(
            name="local",
            removal_policy=cdk.RemovalPolicy.DESTROY,
            log_days=7,
            run_files_days=30,
            noncurrent_days=7,
            lambda_target=this_machine(),
            container_target=this_machine(),
            allowed_origins=("http://localhost:5173",),
            password_sign_in=True,
            loopback_webhooks="allowed",
            dead_letter_alarms=False,
        ),
        EnvironmentConfig(
            name="dev",
            removal_policy=cdk.RemovalPolicy.DESTROY,
            log_days=14,
            run_files_days=30,
            noncurrent_days=7,
            allowed_origins=("http://localhost:5173",),
            dead_letter_alarms=False,
            pipelines_join=False,
        ),
        EnvironmentConfig(
            name="staging",
            removal_policy=cdk.RemovalPolicy.RETAIN,
            log_days=30,
            run_files_days=90,
            noncurrent_days=30,
            backup=BackupConfig(kept_days=14),
        ),
        EnvironmentConfig(
            name="prod",
            removal_policy=cdk.RemovalPolicy.RETAIN,
            log_days=365,
            run_files_days=365,
            noncurrent_days=90,
            deletion_protection=True,
            backup=BackupConfig(),
            trail_days=365,
            trail_reads=True,
            second_factor="required",
            approvals="four_eyes",
        ),
    )
}

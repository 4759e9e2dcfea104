"""A Glue job of the platform: a script of `glue_jobs/` on Spark, with the core beside it as a zip."""

from __future__ import annotations

import re

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.acknowledge import acknowledge
from stacks.constructs.observability import may_publish_metrics, may_write_logs
from stacks.packaging import REPOSITORY, locked_version, sources, zip_package


class GlueJob(glue.CfnJob):
    """`CompareRows` runs `glue_jobs/compare_rows.py`. Its `job_role` may do nothing yet but run: grant it the rest."""

    def __init__(self, scope: Construct, id: str, *, timeout: cdk.Duration) -> None:
        module = re.sub(r"(?<!^)(?=[A-Z])", "_", id).lower()
        script = s3_assets.Asset(scope, "Script", path=str(REPOSITORY / "glue_jobs" / f"{module}.py"))
        core = zip_package("glue", sources("millrace", "glue_jobs"))
        library = s3_assets.Asset(
            scope, "Core", path=str(core.path), asset_hash=core.digest, asset_hash_type=cdk.AssetHashType.CUSTOM
        )
        self.job_role = _role(scope, id, script, library)
        modules = ",".join(f"{name}=={locked_version(name)}" for name in ("pydantic", "datasketches"))
        super().__init__(
            scope,
            id,
            role=self.job_role.role_arn,
            glue_version="5.1",
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=script.s3_object_url
            ),
            worker_type="G.1X",
            number_of_workers=2,
            timeout=timeout.to_minutes(),
            max_retries=0,
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=20),
            default_arguments={
                "--job-language": "python",
                "--extra-py-files": library.s3_object_url,
                "--additional-python-modules": modules,
                # One argument carries them all: that is how Glue takes several.
                "--conf": "spark.sql.ansi.enabled=false --conf spark.sql.session.timeZone=UTC",
                "--enable-metrics": "true",
                "--enable-continuous-cloudwatch-log": "true",
            },
        )
        self.node.add_dependency(self.job_role)
        acknowledge(self, "CloudWatch encrypts its logs with its own key, and they hold no rows.", "GL1")
        acknowledge(self, "The job keeps no bookmarks: each run is told what to read.", "GL3")


def _role(scope: Construct, id: str, *assets: s3_assets.Asset) -> iam.Role:
    role = iam.Role(scope, f"{id}Role", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
    for asset in assets:
        role.add_to_policy(
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[asset.bucket.arn_for_objects(asset.s3_object_key)])
        )
    may_write_logs(role, "/aws-glue/")
    may_publish_metrics(role, "Glue")
    return role

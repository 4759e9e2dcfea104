"""What a SageMaker job of ours may do before it is given data: run our code in AWS's image, write logs, metrics."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.constructs.observability import may_publish_metrics, may_write_logs
from stacks.training_image import TrainingImage


class JobRole(iam.Role):
    """`kinds` are the jobs' names in CloudWatch: TrainingJobs, ProcessingJobs."""

    def __init__(
        self, scope: Construct, id: str, *, assets: list[s3_assets.Asset], image: TrainingImage, kinds: list[str]
    ) -> None:
        super().__init__(scope, id, assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))

        def allow(actions: list[str], *resources: str) -> None:
            self.add_to_policy(iam.PolicyStatement(actions=actions, resources=list(resources)))

        for asset in assets:
            allow(["s3:GetObject"], asset.bucket.arn_for_objects(asset.s3_object_key))
            allow(["s3:ListBucket"], asset.bucket.bucket_arn)
        may_write_logs(self, "/aws/sagemaker/", find_streams=True)
        allow(
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            image.repository_arn,
        )
        allow(["ecr:GetAuthorizationToken"], "*")
        may_publish_metrics(self, *(f"/aws/sagemaker/{kind}" for kind in kinds))

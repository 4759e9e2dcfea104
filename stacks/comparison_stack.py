"""Comparison: two versions of a dataset, row by row, when somebody asks for it."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from millrace import names
from stacks.config import EnvironmentConfig
from stacks.constructs.asl_state_machine import AslStateMachine
from stacks.constructs.glue_job import GlueJob
from stacks.data_stack import DataStack
from stacks.platform_stack import PlatformStack


class ComparisonStack(PlatformStack):
    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig, data: DataStack) -> None:
        super().__init__(scope, id, config=config)
        compare_rows = GlueJob(self, "CompareRows", timeout=cdk.Duration.hours(1))
        data.data_bucket.may_read(compare_rows.job_role, names.DATASETS_PREFIX)
        data.data_bucket.may_list(compare_rows.job_role)
        data.data_bucket.may_write(compare_rows.job_role, names.DATASETS_PREFIX)
        self.state_machine = AslStateMachine(
            self,
            "Comparison",
            definition=names.COMPARISON_PIPELINE,
            config=config,
            functions={},
            glue_jobs={"CompareRows": compare_rows},
        )
        cdk.CfnOutput(self, "ComparisonStateMachineArn", value=self.state_machine.state_machine_arn)

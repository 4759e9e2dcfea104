"""Schedules: what wakes the platform by the clock, and the function that then does what was meant."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from millrace import names
from stacks.acknowledge import acknowledge_wildcard, exported_name
from stacks.batch_stack import BatchStack
from stacks.config import EnvironmentConfig
from stacks.constructs.platform_function import EventFunction
from stacks.data_stack import DataStack
from stacks.drift_stack import DriftStack
from stacks.platform_stack import PlatformStack
from stacks.registry_stack import RegistryStack
from stacks.training_stack import TrainingStack

SCHEDULER = "scheduler.amazonaws.com"


class SchedulesStack(PlatformStack):
    """`settings` are what keeps timers needs to know."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        data: DataStack,
        registry: RegistryStack,
        training: TrainingStack,
        batch: BatchStack,
        drift: DriftStack,
    ) -> None:
        super().__init__(scope, id, config=config)
        on_schedule_due = EventFunction(
            self,
            "OnScheduleDue",
            config=config,
            timeout=cdk.Duration.seconds(30),
            environment={
                names.DATA_BUCKET: data.data_bucket.bucket_name,
                names.REGISTRY_TABLE: registry.table.table_name,
                names.TRAINING_STATE_MACHINE_ARN: training.state_machine.state_machine_arn,
                names.BATCH_INFERENCE_STATE_MACHINE_ARN: batch.state_machine.state_machine_arn,
                names.DRIFT_STATE_MACHINE_ARN: drift.state_machine.state_machine_arn,
            },
            pattern=None,
        )
        registry.may_record(on_schedule_due)
        training.state_machine.grant_start_execution(on_schedule_due)
        batch.state_machine.grant_start_execution(on_schedule_due)
        drift.state_machine.grant_start_execution(on_schedule_due)

        self._group = scheduler.CfnScheduleGroup(self, "Timers")
        self._role = self._waking_role(on_schedule_due)
        self.settings = {
            names.SCHEDULE_GROUP: self._group.ref,
            names.SCHEDULE_TARGET_ARN: on_schedule_due.function_arn,
            names.SCHEDULE_ROLE_ARN: self._role.role_arn,
        }
        cdk.CfnOutput(self, "ScheduleGroup", value=self._group.ref)
        cdk.CfnOutput(self, "ScheduleTargetArn", value=on_schedule_due.function_arn)
        cdk.CfnOutput(self, "ScheduleRoleArn", value=self._role.role_arn)

    def may_keep_timers(self, grantee: iam.IGrantable) -> None:
        """Set and remove timers of the group, which the service then fires with the waking role."""
        timers = self.format_arn(service="scheduler", resource="schedule", resource_name=f"{self._group.ref}/*")
        actions = [f"scheduler:{verb}Schedule" for verb in ("Create", "Update", "Delete")]
        iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=[timers])
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["iam:PassRole"],
            resource_arns=[self._role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": SCHEDULER}},
        )
        acknowledge_wildcard(
            grantee,
            "A timer is named after its schedule, and schedules come and go.",
            "arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/"
            f"{exported_name(self._group.ref, self)}/*",
        )

    def _waking_role(self, function: EventFunction) -> iam.Role:
        """Only the schedules of this group may use it: nobody else's in the account, though the service is the same."""
        role = iam.Role(
            self,
            "WakingRole",
            assumed_by=iam.ServicePrincipal(
                SCHEDULER,
                conditions={
                    "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": self._group.attr_arn},
                },
            ),
        )
        role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn]))
        return role

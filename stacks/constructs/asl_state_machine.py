"""A state machine from `state_machines/{definition}.asl.json`: plain ASL with ${Placeholders}."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.acknowledge import acknowledge_wildcard, exported_name
from stacks.config import EnvironmentConfig
from stacks.constructs.platform_function import logs_retention
from stacks.network_stack import NetworkStack
from stacks.packaging import REPOSITORY

DEFINITIONS = REPOSITORY / "state_machines"
# `arn:aws:states:::…` is another partition's in China and GovCloud.
PARTITION_PLACEHOLDER = "Partition"

# What `.sync` needs for each kind of SageMaker job: actions, the job's ARN, and the rule by which Step Functions waits.
SAGEMAKER_JOBS = {
    "createTrainingJob": ("TrainingJob", "training-job", "StepFunctionsGetEventsForSageMakerTrainingJobsRule"),
    "createProcessingJob": ("ProcessingJob", "processing-job", "StepFunctionsGetEventsForSageMakerProcessingJobsRule"),
    "createTransformJob": ("TransformJob", "transform-job", "StepFunctionsGetEventsForSageMakerTransformJobsRule"),
}
# What a SageMaker model of a run needs: it is made and removed by the same execution.
SAGEMAKER_MODEL = {"createModel": ("CreateModel", "AddTags"), "deleteModel": ("DeleteModel",)}


def placeholders_in(text: str) -> set[str]:
    return set(re.findall(r"\$\{(\w+)\}", text))


def tasks_in(states: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and body of every Task, those inside a Map or a Parallel included."""
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name, state
        inner = [state["ItemProcessor"]] if "ItemProcessor" in state else state.get("Branches", [])
        for processor in inner:
            yield from tasks_in(processor["States"])


def _inside(text: str, network: NetworkStack) -> str:
    """The definition, with its jobs in the network's subnets."""
    definition = json.loads(text)
    for _, task in tasks_in(definition["States"]):
        network.join(task)
    return json.dumps(definition)


class AslStateMachine(sfn.StateMachine):
    """Refuses to synthesise when the JSON and the Python disagree, and grants what its tasks need.

    `functions` and `glue_jobs` replace the placeholder of the same name, `values` all other placeholders, and
    `sagemaker_role` is the role its SageMaker jobs run under (placeholder `SageMakerRole`).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        definition: str,
        config: EnvironmentConfig,
        functions: Mapping[str, lambda_.IFunction],
        glue_jobs: Mapping[str, glue.CfnJob] | None = None,
        sagemaker_role: iam.IRole | None = None,
        values: Mapping[str, str] | None = None,
        network: NetworkStack | None = None,
    ) -> None:
        """With a `network`, SageMaker jobs run in its subnets."""
        text = (DEFINITIONS / f"{definition}.asl.json").read_text()
        substitutions = {
            # Only a definition that calls a service by itself names it.
            **({PARTITION_PLACEHOLDER: cdk.Aws.PARTITION} if PARTITION_PLACEHOLDER in placeholders_in(text) else {}),
            **{name: function.function_arn for name, function in functions.items()},
            **{name: job.ref for name, job in (glue_jobs or {}).items()},
            **({"SageMakerRole": sagemaker_role.role_arn} if sagemaker_role else {}),
            **(values or {}),
        }
        if placeholders_in(text) != set(substitutions):
            raise ValueError(
                f"{definition}.asl.json has the placeholders {sorted(placeholders_in(text))}, "
                f"and the stack fills {sorted(substitutions)}"
            )
        if network:
            text = _inside(text, network)
        log_group = logs.LogGroup(
            scope, f"{id}Log", retention=logs_retention(config), removal_policy=config.removal_policy
        )
        super().__init__(
            scope,
            id,
            state_machine_type=sfn.StateMachineType.STANDARD,
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=True),
            definition_body=sfn.DefinitionBody.from_string(text),
            definition_substitutions=substitutions,
            removal_policy=config.removal_policy,
        )
        self.log_group = log_group
        acknowledge_wildcard(self, "X-Ray and the delivery of logs have no resources to name.", "*")
        for function in functions.values():
            self._allow(["lambda:InvokeFunction"], function.function_arn)
        for job in (glue_jobs or {}).values():
            self._allow_glue(job)
        if sagemaker_role:
            self._allow_sagemaker(sagemaker_role, json.loads(text)["States"])
            if network:
                network.may_join(cast(iam.Role, sagemaker_role))

    def may_read_executions(self, grantee: iam.IGrantable) -> None:
        """Read the history of executions, from a function of another stack."""
        self._allow_on_executions(grantee, "states:GetExecutionHistory")

    def may_stop_executions(self, grantee: iam.IGrantable) -> None:
        """End executions, from a function of another stack."""
        self._allow_on_executions(grantee, "states:StopExecution")

    def _allow_on_executions(self, grantee: iam.IGrantable, *actions: str) -> None:
        self.grant_execution(grantee, *actions)
        arn = exported_name(self.state_machine_arn, cdk.Stack.of(self))
        name = json.dumps({"Fn::Select": [6, {"Fn::Split": [":", {"Fn::ImportValue": arn}]}]}, separators=(",", ":"))
        acknowledge_wildcard(
            grantee,
            "An execution is named after its run, and runs come and go.",
            f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{name}:*",
        )

    def _allow(self, actions: list[str], *resources: str, conditions: Mapping[str, Any] | None = None) -> None:
        self.add_to_role_policy(
            iam.PolicyStatement(actions=actions, resources=list(resources), conditions=dict(conditions or {}))
        )

    def _allow_glue(self, job: glue.CfnJob) -> None:
        arn = cdk.Stack.of(self).format_arn(service="glue", resource="job", resource_name=job.ref)
        self._allow(["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"], arn)

    def _allow_sagemaker(self, role: iam.IRole, states: Mapping[str, Any]) -> None:
        stack = cdk.Stack.of(self)
        used = {state["Resource"].split(":")[-1].removesuffix(".sync") for _, state in tasks_in(states)}
        for integration in sorted(used & SAGEMAKER_JOBS.keys()):
            kind, resource, rule = SAGEMAKER_JOBS[integration]
            arn = stack.format_arn(service="sagemaker", resource=resource, resource_name="*")
            actions = [f"{verb}{kind}" for verb in ("Create", "Describe", "Stop")] + ["AddTags", "ListTags"]
            self._allow([f"sagemaker:{action}" for action in actions], arn)
            self._allow(
                ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
                stack.format_arn(service="events", resource="rule", resource_name=rule),
            )
            acknowledge_wildcard(
                self,
                "A job's name holds its run's id, so its ARN is not known before it is created.",
                f"arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>:{resource}/*",
            )
        modelling = [action for name in sorted(used & SAGEMAKER_MODEL.keys()) for action in SAGEMAKER_MODEL[name]]
        if modelling:
            arn = stack.format_arn(service="sagemaker", resource="model", resource_name="*")
            self._allow([f"sagemaker:{action}" for action in modelling], arn)
            acknowledge_wildcard(
                self,
                "A model is named after its run, so its ARN is not known before it is created.",
                "arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>:model/*",
            )
        self._allow(
            ["iam:PassRole"],
            role.role_arn,
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )

"""What an environment may ask for beyond what costs nothing: a key of its own, private jobs, a firewall, promotion."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from conftest import Platform
from test_findings import cfn_lint, findings

from millrace import names
from scripts.lint_policies import policies
from stacks.config import ENVIRONMENTS, PromotionSource
from stacks.constructs.firewall import Firewall
from stacks.platform_stage import FEATURE_FLAGS, PlatformStage
from stacks.training_image import TrainingImage

TARGET = "210987654321"
SOURCE = PromotionSource("staging-artifacts", "arn:aws:kms:us-east-1:333333333333:key/of-staging")
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/jobs:3.2-0-7"
OPERATORS = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Operators_*"
ALL = dataclasses.replace(
    ENVIRONMENTS["prod"],
    region="us-east-1",
    customer_key=True,
    private_jobs=True,
    interface_endpoints=("logs",),
    firewall="managed",
    promotes_to=(TARGET,),
    takes_from=(SOURCE,),
    operators=(OPERATORS,),
    job_image=IMAGE,
    job_machine="ml.m5.xlarge",
    endpoint_machine="ml.c5.xlarge",
    spot="refused",
    warm_predictions=2,
    endpoint_most_machines=4,
)
STATE_MACHINES = ("Training", "Serving", "Batch")


@dataclasses.dataclass(frozen=True)
class Guarded:
    platform: Platform
    found: list[tuple[str, str]]
    files: list[Path]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Guarded:
    """Production with everything on."""
    output = tmp_path_factory.mktemp("guarded")
    app = cdk.App(outdir=str(output), analytics_reporting=False, context=FEATURE_FLAGS)
    PlatformStage(app, ALL)
    found = findings(app, output)
    stage = output / "assembly-prod"
    artifacts = json.loads((stage / "manifest.json").read_text())["artifacts"].values()
    stacks = [found["properties"] for found in artifacts if found["type"] == "aws:cloudformation:stack"]
    files = {stack["stackName"].removeprefix("Millrace-prod-"): stage / stack["templateFile"] for stack in stacks}
    templates = {name: json.loads(file.read_text()) for name, file in files.items()}
    return Guarded(Platform(templates), found, list(files.values()))


def statements(platform: Platform, kind: str) -> list[Mapping[str, Any]]:
    return [
        statement
        for properties in platform.properties(kind)
        for statement in properties.get("PolicyDocument", properties.get("KeyPolicy"))["Statement"]
    ]


def listed(principal: Mapping[str, Any]) -> list[str]:
    service = principal["Service"]
    return [service] if isinstance(service, str) else list(service)


def test_the_rule_packs_find_nothing_and_no_rule_about_keys_is_accepted(guarded: Guarded) -> None:
    assert guarded.found == []


def test_cfn_lint_accepts_the_templates(guarded: Guarded, tmp_path: Path) -> None:
    for file in guarded.files:
        (tmp_path / file.name).write_text(file.read_text().replace("arn:${Partition}:states:::", "arn:aws:states:::"))

    assert cfn_lint(sorted(tmp_path.glob("*.template.json"))) == []


class TestKey:
    def test_everything_that_keeps_data_is_under_the_key_but_the_dashboards_public_files(
        self, guarded: Guarded
    ) -> None:
        platform = guarded.platform
        under = {
            "AWS::Logs::LogGroup": "KmsKeyId",
            "AWS::SQS::Queue": "KmsMasterKeyId",
            "AWS::SNS::Topic": "KmsMasterKeyId",
            "AWS::Lambda::Function": "KmsKeyArn",
        }
        for kind, property in under.items():
            assert all(property in found for found in platform.properties(kind)), kind
        (table,) = platform.properties("AWS::DynamoDB::Table")
        assert table["SSESpecification"]["SSEType"] == "KMS"
        assert {
            name: found["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"][0][
                "ServerSideEncryptionByDefault"
            ]["SSEAlgorithm"]
            for name, found in platform.resources("AWS::S3::Bucket").items()
            if not name.startswith("FrontDoor")
        } == dict.fromkeys(
            [name for name in platform.resources("AWS::S3::Bucket") if not name.startswith("FrontDoor")], "aws:kms"
        )

    def test_every_role_may_use_the_key(self, guarded: Guarded) -> None:
        documents = {policy.where: json.dumps(policy.document) for policy in policies(guarded.platform.templates)}

        assert len(documents) > 40
        assert [where for where, document in documents.items() if "kms:GenerateDataKey" not in document] == []

    def test_it_is_rotated_and_services_use_it_for_this_account_alone(self, guarded: Guarded) -> None:
        (key,) = guarded.platform.properties("AWS::KMS::Key")
        services = [found for found in statements(guarded.platform, "AWS::KMS::Key") if "Service" in found["Principal"]]

        assert key["EnableKeyRotation"] is True
        assert sorted(str(name).partition(".")[0] for found in services for name in listed(found["Principal"])) == [
            "budgets",
            "cloudtrail",
            "cloudwatch",
            "events",
            "logs",
        ]
        assert all("Condition" in found for found in services)


class TestPrivateJobs:
    def test_there_is_no_way_to_the_internet(self, guarded: Guarded) -> None:
        kinds = {found["Type"] for found in guarded.platform.templates["Network"]["Resources"].values()}

        assert not kinds & {"AWS::EC2::NatGateway", "AWS::EC2::InternetGateway", "AWS::EC2::Route", "AWS::EC2::EIP"}
        assert all(not subnet["MapPublicIpOnLaunch"] for subnet in guarded.platform.properties("AWS::EC2::Subnet"))

    def test_s3_and_dynamodb_are_reached_by_gateways_that_serve_this_account_alone(self, guarded: Guarded) -> None:
        endpoints = guarded.platform.properties("AWS::EC2::VPCEndpoint")
        gateways = [found for found in endpoints if found["VpcEndpointType"] == "Gateway"]

        assert sorted(str(found["ServiceName"]).rpartition(".")[2] for found in gateways) == ["dynamodb", "s3"]
        for gateway in gateways:
            (statement,) = gateway["PolicyDocument"]["Statement"]
            assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}

    def test_an_interface_endpoint_is_made_for_each_that_was_asked_for(self, guarded: Guarded) -> None:
        (interface,) = [
            found
            for found in guarded.platform.properties("AWS::EC2::VPCEndpoint")
            if found["VpcEndpointType"] == "Interface"
        ]

        assert interface["ServiceName"] == "com.amazonaws.us-east-1.logs"
        assert interface["PrivateDnsEnabled"] is True

    def test_nobody_enters_the_group_but_its_own_hosts(self, guarded: Guarded) -> None:
        (group,) = guarded.platform.properties("AWS::EC2::SecurityGroup")
        (entering,) = guarded.platform.properties("AWS::EC2::SecurityGroupIngress")

        assert "SecurityGroupIngress" not in group
        assert [rule["FromPort"] for rule in group["SecurityGroupEgress"]] == [443]
        assert entering["SourceSecurityGroupId"] == entering["GroupId"]

    @pytest.mark.parametrize("stack", STATE_MACHINES)
    def test_every_sagemaker_job_is_placed_into_the_subnets_and_still_isolated(
        self, stack: str, guarded: Guarded
    ) -> None:
        (machine,) = [
            found["Properties"]
            for found in guarded.platform.templates[stack]["Resources"].values()
            if found["Type"] == "AWS::StepFunctions::StateMachine"
        ]
        definition = json.dumps(machine["DefinitionString"])
        made = sum(
            definition.count(f"sagemaker:{kind}")
            for kind in ("createTrainingJob", "createProcessingJob", "createModel")
        )

        assert made > 0
        assert definition.count("VpcConfig") == made
        assert definition.count("EnableNetworkIsolation") == made

    def test_the_jobs_roles_may_join(self, guarded: Guarded) -> None:
        joining = {
            policy.where.partition("/")[2]
            for policy in policies(guarded.platform.templates)
            if "ec2:CreateNetworkInterface" in json.dumps(policy.document)
        }

        assert {name.partition("RoleDefault")[0] for name in joining} == {"SageMaker", "Export", "Score"}


class TestFirewall:
    def test_the_distribution_is_behind_the_managed_rules_and_a_limit_for_each_address(self, guarded: Guarded) -> None:
        (acl,) = guarded.platform.properties("AWS::WAFv2::WebACL")
        (distribution,) = guarded.platform.properties("AWS::CloudFront::Distribution")
        rules = {rule["Name"]: rule for rule in acl["Rules"]}

        assert "Firewall" in json.dumps(distribution["DistributionConfig"]["WebACLId"])
        assert acl["Scope"] == "CLOUDFRONT"
        assert len(rules) == 4
        assert len({rule["Priority"] for rule in acl["Rules"]}) == 4
        assert rules["RequestsOfOneAddress"]["Statement"]["RateBasedStatement"]["Limit"] == 3000

    def test_rows_of_a_request_for_predictions_are_longer_than_a_managed_rule_admits(self, guarded: Guarded) -> None:
        (acl,) = guarded.platform.properties("AWS::WAFv2::WebACL")
        common = acl["Rules"][0]["Statement"]["ManagedRuleGroupStatement"]

        assert common["RuleActionOverrides"] == [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]

    def test_in_another_region_it_is_refused_with_advice(self) -> None:
        stack = cdk.Stack(cdk.App(), "Elsewhere", env=cdk.Environment(region="eu-west-1"))

        with pytest.raises(ValueError, match=r"prod: the firewall of CloudFront is made in us-east-1 alone"):
            Firewall(stack, "Firewall", config=ALL)


class TestPromotion:
    def test_the_platform_of_another_account_may_read_model_versions_and_nothing_else(self, guarded: Guarded) -> None:
        (theirs,) = [
            found
            for found in statements(guarded.platform, "AWS::S3::BucketPolicy")
            if TARGET in json.dumps(found["Principal"])
        ]

        assert theirs["Action"] == "s3:GetObject"
        assert '"/models/*"' in json.dumps(theirs["Resource"])
        assert f"{TARGET}:role/Millrace-*-Promotion-*" in json.dumps(theirs["Condition"])

    def test_it_may_decrypt_what_it_reads(self, guarded: Guarded) -> None:
        (theirs,) = [
            found for found in statements(guarded.platform, "AWS::KMS::Key") if TARGET in json.dumps(found["Principal"])
        ]

        assert theirs["Action"] == "kms:Decrypt"
        assert f"{TARGET}:role/Millrace-*-Promotion-*" in json.dumps(theirs["Condition"])

    def test_an_operator_reads_model_versions_of_the_environments_that_are_named_and_decrypts_them(
        self, guarded: Guarded
    ) -> None:
        (importing,) = [
            policy.document["Statement"]
            for policy in policies(guarded.platform.templates)
            if policy.where.startswith("Promotion/ImportVersion")
        ]
        theirs = {each["Action"]: each["Resource"] for each in importing if SOURCE.artifacts_bucket in json.dumps(each)}
        decrypting = [each["Resource"] for each in importing if each["Action"] == "kms:Decrypt"]

        assert theirs == {"s3:GetObject": [f"arn:aws:s3:::{SOURCE.artifacts_bucket}/models/*"]}
        assert decrypting == [[SOURCE.key_arn]]

    def test_only_the_operators_that_are_named_may_assume_the_roles(self, guarded: Guarded) -> None:
        trusts = [
            found["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            for found in guarded.platform.templates["Promotion"]["Resources"].values()
            if found["Type"] == "AWS::IAM::Role"
        ]

        assert len(trusts) == 2
        for (trust,) in trusts:
            assert trust["Condition"] == {"ArnLike": {"aws:PrincipalArn": [OPERATORS]}}

    def test_without_being_asked_no_other_account_may_anything(self, prod: Platform) -> None:
        assert TARGET not in json.dumps(prod.templates)
        assert prod.resources("AWS::KMS::Key") == prod.resources("AWS::EC2::VPC") == {}


class TestCapacity:
    def test_predictions_are_answered_by_instances_that_are_kept_started(self, guarded: Guarded) -> None:
        (warm,) = guarded.platform.properties("AWS::Lambda::Alias")
        routes = {
            found["RouteKey"]: json.dumps(found["Target"])
            for found in guarded.platform.properties("AWS::ApiGatewayV2::Route")
        }
        integrations = guarded.platform.resources("AWS::ApiGatewayV2::Integration")

        assert warm["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 2}
        for route in ("POST /inference/predict", f"POST {names.KEYED_PATH}/inference/predict"):
            (integration,) = [found["Properties"] for name, found in integrations.items() if name in routes[route]]
            assert "Warm" in json.dumps(integration["IntegrationUri"]), route

    def test_a_realtime_endpoint_grows_with_its_requests_and_its_scaling_ends_with_it(self, guarded: Guarded) -> None:
        functions = guarded.platform.functions()
        deploy, retire = (functions[f"lambdas.tasks.{name}"] for name in ("deploy_endpoint", "retire_endpoints"))
        scaling = {
            policy.where.partition("/")[2].partition("RoleDefault")[0]: statement
            for policy in policies(guarded.platform.templates)
            for statement in policy.document["Statement"]
            if "application-autoscaling" in json.dumps(statement["Action"])
        }

        assert deploy["Environment"]["Variables"]["ENDPOINT_MACHINE"] == "ml.c5.xlarge"
        assert {each["Environment"]["Variables"]["ENDPOINT_MOST_MACHINES"] for each in (deploy, retire)} == {"4"}
        assert scaling["DeployEndpoint"]["Action"] == [
            "application-autoscaling:PutScalingPolicy",
            "application-autoscaling:RegisterScalableTarget",
        ]
        assert scaling["RetireEndpoints"]["Action"] == "application-autoscaling:DeregisterScalableTarget"
        assert all("Condition" in statement for statement in scaling.values())

    def test_exports_and_batches_run_on_the_environments_machine(self, guarded: Guarded) -> None:
        for stack in ("Serving", "Batch"):
            (machine,) = [
                found["Properties"]
                for found in guarded.platform.templates[stack]["Resources"].values()
                if found["Type"] == "AWS::StepFunctions::StateMachine"
            ]
            assert machine["DefinitionSubstitutions"]["JobMachine"] == "ml.m5.xlarge"

    def test_jobs_run_in_the_accounts_own_image_and_may_pull_no_other(self, guarded: Guarded) -> None:
        machines = guarded.platform.properties("AWS::StepFunctions::StateMachine")
        images = {
            each["DefinitionSubstitutions"]["TrainingImage"]
            for each in machines
            if "TrainingImage" in each.get("DefinitionSubstitutions", {})
        }
        pulled = {
            resource
            for policy in policies(guarded.platform.templates)
            for statement in policy.document["Statement"]
            if "ecr:BatchGetImage" in statement["Action"]
            for resource in statement["Resource"]
        }

        assert images == {IMAGE}
        assert pulled == {"arn:aws:ecr:us-east-1:123456789012:repository/jobs"}

    def test_what_is_no_image_of_ecr_is_refused_with_an_example(self) -> None:
        careless = dataclasses.replace(ALL, job_image="python:3.12")

        with pytest.raises(ValueError, match=r"must be like 123456789012\.dkr\.ecr\.eu-west-1"):
            TrainingImage(cdk.Stack(cdk.App(), "Elsewhere"), "Image", config=careless)

    def test_functions_are_told_what_the_environment_decides_about_spot_and_approvals(
        self, guarded: Guarded, local: Platform
    ) -> None:
        def told(platform: Platform) -> dict[str, str]:
            variables = platform.functions()["lambdas.api.app"]["Environment"]["Variables"]
            planning = platform.functions()["lambdas.tasks.plan_training"]["Environment"]["Variables"]
            assert planning["SPOT_CAPACITY"] == variables["SPOT_CAPACITY"]
            return {name: variables[name] for name in ("SPOT_CAPACITY", "APPROVALS")}

        assert told(guarded.platform) == {"SPOT_CAPACITY": "refused", "APPROVALS": "four_eyes"}
        assert told(local) == {"SPOT_CAPACITY": "allowed", "APPROVALS": "one_person"}

    def test_without_being_asked_nothing_is_kept_started_or_scaled(self, prod: Platform) -> None:
        assert prod.resources("AWS::Lambda::Alias") == {}
        assert "application-autoscaling" not in json.dumps(prod.templates)

"""Subnets without a way to the internet, for SageMaker jobs of environments that want them (`private_jobs`).

There is no NAT gateway. Jobs reach S3 and DynamoDB through gateway endpoints, which cost nothing; SageMaker itself
pulls the image and writes the logs. Other services need an interface endpoint each, by the hour
(`interface_endpoints`): the jobs need none.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.acknowledge import acknowledge, acknowledge_wildcard
from stacks.config import EnvironmentConfig
from stacks.constructs.platform_function import logs_retention
from stacks.platform_stack import PlatformStack

ADDRESSES = "10.42.0.0/20"
# One for each of two availability zones, with room for a thousand hosts.
SUBNETS = ("10.42.0.0/22", "10.42.4.0/22")
ANYWHERE = "0.0.0.0/0"
HTTPS = 443
LAST_PORT = 65535


class NetworkStack(PlatformStack):
    """Plain resources: the CDK's own `Vpc` looks availability zones up, and brings a function to close a group."""

    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id, config=config)
        self.vpc = ec2.CfnVPC(self, "Vpc", cidr_block=ADDRESSES, enable_dns_support=True, enable_dns_hostnames=True)
        acknowledge(
            self.vpc,
            "Nothing is in the default group, and roles may not choose it; closing it takes a function of its own.",
            "NIST.800.53.R5-VPCDefaultSecurityGroupClosed",
        )
        routes = ec2.CfnRouteTable(self, "Routes", vpc_id=self.vpc.ref)
        self.subnets = [self._subnet(number, routes) for number in range(len(SUBNETS))]
        self.security_group = self._security_group()
        for service in ("s3", "dynamodb"):
            self._gateway(service, routes)
        for service in config.interface_endpoints:
            self._interface(service)
        self._flow_log(config)

    def join(self, task: dict[str, Any]) -> None:
        """Place what a task of a state machine creates into the subnets. Other tasks stay as they are."""
        operation = str(task["Resource"]).rpartition(":")[2].removesuffix(".sync")
        place = {
            "Subnets": [subnet.ref for subnet in self.subnets],
            "SecurityGroupIds": [self.security_group.attr_group_id],
        }
        if operation in {"createTrainingJob", "createModel"}:
            task["Parameters"]["VpcConfig"] = place
        if operation == "createProcessingJob":
            task["Parameters"].setdefault("NetworkConfig", {})["VpcConfig"] = place

    def may_join(self, role: iam.Role) -> None:
        """SageMaker makes the network interfaces of a job with the job's role, as it documents."""
        describing = ("NetworkInterfaces", "Vpcs", "DhcpOptions", "Subnets", "SecurityGroups")
        making = ("CreateNetworkInterface", "DeleteNetworkInterface", "CreateNetworkInterfacePermission")
        actions = [f"ec2:Describe{what}" for what in describing]
        actions += [f"ec2:{action}" for action in (*making, "DeleteNetworkInterfacePermission")]
        role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=["*"]))
        acknowledge_wildcard(role, "Network interfaces have no name before SageMaker makes them.", "*")

    def _subnet(self, number: int, routes: ec2.CfnRouteTable) -> ec2.CfnSubnet:
        subnet = ec2.CfnSubnet(
            self,
            f"Subnet{number + 1}",
            vpc_id=self.vpc.ref,
            cidr_block=SUBNETS[number],
            availability_zone=cdk.Fn.select(number, cdk.Fn.get_azs()),
            map_public_ip_on_launch=False,
        )
        ec2.CfnSubnetRouteTableAssociation(
            self, f"Subnet{number + 1}Routes", subnet_id=subnet.ref, route_table_id=routes.ref
        )
        return subnet

    def _security_group(self) -> ec2.CfnSecurityGroup:
        """Hosts of a job talk to each other; everything else is HTTPS, and the routes lead to S3 and DynamoDB alone."""
        group = ec2.CfnSecurityGroup(
            self,
            "Jobs",
            group_description="SageMaker jobs of Millrace",
            vpc_id=self.vpc.ref,
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="tcp",
                    from_port=HTTPS,
                    to_port=HTTPS,
                    cidr_ip=ANYWHERE,
                    description="S3 and DynamoDB through the gateway endpoints",
                )
            ],
        )
        id, said = group.attr_group_id, "Hosts of one job among themselves"
        # As SageMaker asks of jobs on several hosts: any port.
        ec2.CfnSecurityGroupIngress(
            self,
            "FromEachOther",
            group_id=id,
            source_security_group_id=id,
            ip_protocol="tcp",
            from_port=0,
            to_port=LAST_PORT,
            description=said,
        )
        ec2.CfnSecurityGroupEgress(
            self,
            "ToEachOther",
            group_id=id,
            destination_security_group_id=id,
            ip_protocol="tcp",
            from_port=0,
            to_port=LAST_PORT,
            description=said,
        )
        return group

    def _gateway(self, service: str, routes: ec2.CfnRouteTable) -> None:
        ec2.CfnVPCEndpoint(
            self,
            f"{service.capitalize()}Gateway",
            vpc_id=self.vpc.ref,
            service_name=f"com.amazonaws.{self.region}.{service}",
            vpc_endpoint_type="Gateway",
            route_table_ids=[routes.ref],
            policy_document=self._own_account(service),
        )

    def _own_account(self, service: str) -> iam.PolicyDocument:
        """Nobody can carry data out with credentials of another account."""
        return iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    principals=[iam.AnyPrincipal()],
                    actions=[f"{service}:*"],
                    resources=["*"],
                    conditions={"StringEquals": {"aws:PrincipalAccount": self.account}},
                )
            ]
        )

    def _interface(self, service: str) -> None:
        ec2.CfnVPCEndpoint(
            self,
            f"{service.title().replace('.', '')}Interface",
            vpc_id=self.vpc.ref,
            service_name=f"com.amazonaws.{self.region}.{service}",
            vpc_endpoint_type="Interface",
            private_dns_enabled=True,
            subnet_ids=[subnet.ref for subnet in self.subnets],
            security_group_ids=[self.security_group.attr_group_id],
        )

    def _flow_log(self, config: EnvironmentConfig) -> None:
        group = logs.LogGroup(self, "FlowsLog", retention=logs_retention(config), removal_policy=config.removal_policy)
        role = iam.Role(self, "FlowsRole", assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com"))
        group.grant_write(role)
        ec2.CfnFlowLog(
            self,
            "Flows",
            resource_id=self.vpc.ref,
            resource_type="VPC",
            traffic_type="REJECT",
            log_destination_type="cloud-watch-logs",
            log_group_name=group.log_group_name,
            deliver_logs_permission_arn=role.role_arn,
        )

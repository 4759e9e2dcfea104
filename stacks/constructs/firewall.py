"""A web application firewall for the front door: AWS's managed rules, and a limit for each address."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from stacks.acknowledge import acknowledge
from stacks.config import EnvironmentConfig

# CloudFront takes its firewalls from there, wherever the rest of the platform is.
REGION = "us-east-1"
MANAGED = ("AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet")
COMMON = "AWSManagedRulesCommonRuleSet"
# The rows of one request for predictions are longer than the 8 KB that the rule admits; the API limits them itself.
COUNTED = ("SizeRestrictions_BODY",)
WINDOW_SECONDS = 300


class Firewall(waf.CfnWebACL):
    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        """Raises ValueError outside the one region from which CloudFront takes it."""
        if cdk.Stack.of(scope).region != REGION:
            raise ValueError(
                f"{config.name}: the firewall of CloudFront is made in {REGION} alone; set the environment's region to "
                "it, or give the ARN of one that was made there as `firewall`"
            )
        rules = [self._managed(number, name) for number, name in enumerate((COMMON, *MANAGED))]
        super().__init__(
            scope,
            id,
            scope="CLOUDFRONT",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible(id),
            rules=[*rules, self._limit(len(rules), config.requests_per_second)],
        )
        acknowledge(
            self,
            "CloudWatch counts what each rule matched and shows samples; a log of every request costs by its size.",
            "NIST.800.53.R5-WAFv2LoggingEnabled",
        )

    @staticmethod
    def _managed(priority: int, name: str) -> waf.CfnWebACL.RuleProperty:
        counted = [
            waf.CfnWebACL.RuleActionOverrideProperty(
                name=rule, action_to_use=waf.CfnWebACL.RuleActionProperty(count={})
            )
            for rule in (COUNTED if name == COMMON else ())
        ]
        group = waf.CfnWebACL.ManagedRuleGroupStatementProperty(
            vendor_name="AWS", name=name, rule_action_overrides=counted or None
        )
        return waf.CfnWebACL.RuleProperty(
            name=name,
            priority=priority,
            override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
            statement=waf.CfnWebACL.StatementProperty(managed_rule_group_statement=group),
            visibility_config=_visible(name),
        )

    @staticmethod
    def _limit(priority: int, requests_per_second: int) -> waf.CfnWebACL.RuleProperty:
        """One address may use a tenth of what the API serves to all."""
        limit = waf.CfnWebACL.RateBasedStatementProperty(
            aggregate_key_type="IP",
            evaluation_window_sec=WINDOW_SECONDS,
            limit=requests_per_second * WINDOW_SECONDS // 10,
        )
        return waf.CfnWebACL.RuleProperty(
            name="RequestsOfOneAddress",
            priority=priority,
            action=waf.CfnWebACL.RuleActionProperty(block={}),
            statement=waf.CfnWebACL.StatementProperty(rate_based_statement=limit),
            visibility_config=_visible("RequestsOfOneAddress"),
        )


def _visible(name: str) -> Any:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )

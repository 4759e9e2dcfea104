"""Who may use the platform: a user pool for people, and a client with credentials for machines.

The dashboard's client is in the API's stack, with the address that people are sent back to.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from millrace import names
from stacks.acknowledge import acknowledge
from stacks.config import EnvironmentConfig
from stacks.platform_stack import PlatformStack

ACCESS_TOKEN_LIFE = cdk.Duration.hours(1)
# What a machine may be by itself. Decisions on model versions are a person's.
MACHINE_ROLES = (names.VIEWER_ROLE, names.SCIENTIST_ROLE)


class IdentityStack(PlatformStack):
    """Roles are groups of the pool for people, and scopes `millrace/<role>` for machines."""

    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id, config=config)
        self.user_pool = self._user_pool(config)
        for role in names.ROLES:
            cognito.CfnUserPoolGroup(
                self, f"{role.capitalize()}s", user_pool_id=self.user_pool.user_pool_id, group_name=role
            )
        domain = self._sign_in_pages(config)
        self.sign_in_url = domain.base_url()
        self.machine_client = self._machine_client()
        cdk.CfnOutput(self, "UserPoolId", value=self.user_pool.user_pool_id)
        cdk.CfnOutput(self, "MachineClientId", value=self.machine_client.user_pool_client_id)
        cdk.CfnOutput(self, "SignInUrl", value=self.sign_in_url)

    @property
    def issuer(self) -> str:
        """By join: the embedded AWS does not know the attribute ProviderURL."""
        return f"https://cognito-idp.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}/{self.user_pool.user_pool_id}"

    def _user_pool(self, config: EnvironmentConfig) -> cognito.UserPool:
        pool = cognito.UserPool(
            self,
            "People",
            # An administrator invites; nobody signs up.
            self_sign_up_enabled=False,
            # The user name is what history and audit show, so it is a name and does not change; the address may.
            sign_in_aliases=cognito.SignInAliases(username=True, email=True),
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            sign_in_case_sensitive=False,
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_digits=True,
                require_lowercase=True,
                require_uppercase=True,
                require_symbols=True,
                temp_password_validity=cdk.Duration.days(3),
            ),
            mfa=cognito.Mfa.REQUIRED if config.second_factor == "required" else cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            feature_plan=cognito.FeaturePlan.ESSENTIALS,
            deletion_protection=config.deletion_protection,
            removal_policy=config.removal_policy,
        )
        if config.second_factor == "optional":
            acknowledge(pool, "A second factor is each person's choice here; production makes it a rule.", "COG2")
        acknowledge(pool, "Threat protection costs per active user: the account owner's to switch on.", "COG3", "COG8")
        return pool

    def _sign_in_pages(self, config: EnvironmentConfig) -> cognito.UserPoolDomain:
        """A domain's prefix must be unique in its region, whoever's account it is."""
        return self.user_pool.add_domain(
            "SignIn",
            cognito_domain=cognito.CognitoDomainOptions(domain_prefix=f"millrace-{config.name}-{cdk.Aws.ACCOUNT_ID}"),
            managed_login_version=cognito.ManagedLoginVersion.NEWER_MANAGED_LOGIN,
        )

    def _machine_client(self) -> cognito.UserPoolClient:
        scopes = {
            role: cognito.ResourceServerScope(scope_name=role, scope_description=f"Act as a {role}")
            for role in names.ROLES
        }
        server = self.user_pool.add_resource_server("Api", identifier=names.SCOPE_PREFIX, scopes=list(scopes.values()))
        return self.user_pool.add_client(
            "Machines",
            generate_secret=True,
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(client_credentials=True),
                scopes=[cognito.OAuthScope.resource_server(server, scopes[role]) for role in MACHINE_ROLES],
            ),
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=ACCESS_TOKEN_LIFE,
        )

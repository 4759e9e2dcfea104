"""The dashboard as a client of the user pool."""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from millrace import names
from stacks.config import EnvironmentConfig

ACCESS_TOKEN_LIFE = cdk.Duration.hours(1)
# A person's sign-in lasts a working day; the SPA renews access tokens until then.
SIGN_IN_LIFE = cdk.Duration.hours(12)
CALLBACK_PATH = "/auth/callback"


class SpaClient(cognito.UserPoolClient):
    """It cannot keep a secret, so it proves with PKCE that it asked for the code.

    The API admits this client's tokens, the front door leads to the API, and people are sent back to the front door:
    the client is made first, and told last where to (`send_back_to`). All three are in one stack, so that
    CloudFormation can order them: API, distribution, client, authorizer.
    """

    def __init__(self, scope: Construct, id: str, *, user_pool: cognito.IUserPool, config: EnvironmentConfig) -> None:
        super().__init__(
            scope,
            id,
            user_pool=user_pool,
            generate_secret=False,
            auth_flows=cognito.AuthFlow(admin_user_password=config.password_sign_in),
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[cognito.OAuthScope.OPENID, cognito.OAuthScope.EMAIL, cognito.OAuthScope.PROFILE],
            ),
            supported_identity_providers=[cognito.UserPoolClientIdentityProvider.COGNITO],
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=ACCESS_TOKEN_LIFE,
            id_token_validity=ACCESS_TOKEN_LIFE,
            refresh_token_validity=SIGN_IN_LIFE,
        )
        cognito.CfnManagedLoginBranding(
            self,
            "SignInLook",
            user_pool_id=user_pool.user_pool_id,
            client_id=self.user_pool_client_id,
            use_cognito_provided_values=True,
        )

    def send_back_to(self, *origins: str) -> None:
        """Where people may come from and are sent back to: origins, such as `https://mlops.example.com`.

        And the machine of whoever signs in from a terminal: its code is of no use without the verifier (PKCE).
        """
        client = cast(cognito.CfnUserPoolClient, self.node.default_child)
        client.callback_ur_ls = [*(f"{origin}{CALLBACK_PATH}" for origin in origins), names.SIGN_IN_CALLBACK]
        client.logout_ur_ls = [f"{origin}/" for origin in origins]

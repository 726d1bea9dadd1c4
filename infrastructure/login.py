"""Owns the login directory on AWS (the pool is data of `storage.identity`) and the key that codes are made with."""

from __future__ import annotations

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from chalicelib.storage import identity
from infrastructure.stacks import MarketStack, accept, plain
from infrastructure.stage import Stage


class Login(MarketStack):
    """Exports the ids of the pool and its client. Who may do what is the registry's: the pool has no groups."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, stage, "Login", "user pool and keys")
        protection = {"DeletionProtection": self.guarded("ACTIVE", "INACTIVE")}
        pool = plain(self, "Pool", "AWS::Cognito::UserPool", _pool(stage) | protection)
        pool.apply_removal_policy(self.removal)
        client = plain(
            self,
            "Client",
            "AWS::Cognito::UserPoolClient",
            {"UserPoolId": pool.ref, "ClientName": "market", **identity.USER_POOL_CLIENT},
        )
        accept(
            pool,
            {
                "AwsSolutions-COG1": "Twelve characters of any kind: length over mixture, as NIST SP 800-63B advises.",
                "AwsSolutions-COG2": "An authenticator is each person's choice; every sign-in passes our own limits.",
                "AwsSolutions-COG3": "Paid for by the head; guessing is stopped by our own limits and the firewall.",
                "AwsSolutions-COG8": "The Plus plan is paid for by what COG3 asks for.",
            },
        )
        self._make_code_key(stage)
        self.export("PoolId", pool.ref)
        self.export("PoolArn", pool.get_att("Arn").to_string())
        self.export("ClientId", client.ref)

    def _make_code_key(self, stage: Stage) -> None:
        """Sixty-four characters at random. The key of tokens is a P-256 pair, which the API makes at its first use."""
        key = secretsmanager.Secret(
            self,
            "CodeKey",
            secret_name=f"headroom/{stage.name}/code-key",
            description="Codes and links in mails are made with it",
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
            removal_policy=self.removal,
        )
        reason = "Rotating ends every code and invitation under way, so it is done by hand: see docs/operations.md."
        accept(key, {"AwsSolutions-SMG4": reason})


def _pool(stage: Stage) -> dict[str, object]:
    multi_factor = {"MfaConfiguration": identity.USER_POOL_MFA["MfaConfiguration"]}
    if identity.USER_POOL_MFA["SoftwareTokenMfaConfiguration"]["Enabled"]:
        multi_factor["EnabledMfas"] = ["SOFTWARE_TOKEN_MFA"]
    return {"UserPoolName": f"headroom-{stage.name}", **identity.USER_POOL, **multi_factor}

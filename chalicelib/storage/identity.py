"""Owns the login directory: everything asked of Amazon Cognito, which alone knows passwords."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt
from botocore.exceptions import ClientError

from chalicelib.kernel.errors import Invalid, Problem, Unauthorised
from chalicelib.storage import settings
from chalicelib.storage.clients import client

SHORTEST_PASSWORD = 12

# The pool as data, for the local start and for CDK. Sign-up and codes are ours, so nobody may join but through us.
USER_POOL: dict[str, Any] = {
    "UsernameAttributes": ["email"],
    "UsernameConfiguration": {"CaseSensitive": False},
    "Policies": {
        "PasswordPolicy": {
            "MinimumLength": SHORTEST_PASSWORD,
            "RequireUppercase": False,
            "RequireLowercase": False,
            "RequireNumbers": False,
            "RequireSymbols": False,
            "TemporaryPasswordValidityDays": 1,
        }
    },
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]},
    "DeletionProtection": "ACTIVE",
}
USER_POOL_MFA: dict[str, Any] = {"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": True}}
USER_POOL_CLIENT: dict[str, Any] = {
    "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    "PreventUserExistenceErrors": "ENABLED",
    "EnableTokenRevocation": True,
    "AccessTokenValidity": 60,
    "IdTokenValidity": 60,
    "RefreshTokenValidity": 30,
    "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"},
}


class LoginExists(Exception):
    """The address has a login already."""


class CodeWanted(Unauthorised):
    """The password is right; the authenticator's six figures are wanted too."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login of the directory: its lasting subject, and whether it may sign in."""

    subject: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Tokens:
    """What signing in gives; `refresh_token` is None where the one in hand stays good."""

    subject: str
    access_token: str
    refresh_token: str | None
    expires_in: int


def create_pool(name: str) -> tuple[str, str]:
    """Create a user pool and its client; returns their ids."""
    cognito = client("cognito-idp")
    pool_id = str(cognito.create_user_pool(PoolName=name, **USER_POOL)["UserPool"]["Id"])
    cognito.set_user_pool_mfa_config(UserPoolId=pool_id, **USER_POOL_MFA)
    made = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="market", **USER_POOL_CLIENT)
    return pool_id, str(made["UserPoolClient"]["ClientId"])


def find_pool(name: str) -> tuple[str, str] | None:
    """The ids of the pool of this name and its client, or None."""
    cognito = client("cognito-idp")
    pages = cognito.get_paginator("list_user_pools").paginate(MaxResults=60)
    pool_id = next((pool["Id"] for page in pages for pool in page["UserPools"] if pool["Name"] == name), None)
    if pool_id is None:
        return None
    clients = cognito.list_user_pool_clients(UserPoolId=pool_id, MaxResults=10)["UserPoolClients"]
    return (str(pool_id), str(clients[0]["ClientId"])) if clients else None


def pool_issuer() -> str:
    """The issuer that Cognito writes into its tokens."""
    pool_id = settings.user_pool_id()
    return f"https://cognito-idp.{pool_id.partition('_')[0]}.amazonaws.com/{pool_id}"


def jwks_address() -> str:
    """Where the pool's public keys are served: at AWS under the issuer, elsewhere under the emulator's own address."""
    endpoint = settings.endpoint_url()
    base = f"{endpoint.rstrip('/')}/{settings.user_pool_id()}" if endpoint else pool_issuer()
    return f"{base}/.well-known/jwks.json"


def create_login(email: str, password: str) -> str:
    """Create a login and return its subject; `LoginExists`, or `Invalid` when the password is too weak."""
    made = _asked(
        "admin_create_user",
        Username=email,
        UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "false"}],
        TemporaryPassword=password,
        MessageAction="SUPPRESS",
    )
    subject = _subject(made["User"]["Attributes"])
    set_password(subject, password)
    return subject


def find_login(email: str) -> Login | None:
    """The login of an address, or None."""
    try:
        found = client("cognito-idp").admin_get_user(UserPoolId=settings.user_pool_id(), Username=email)
    except ClientError as error:
        if _code(error) == "UserNotFoundException":
            return None
        raise
    return Login(_subject(found["UserAttributes"]), bool(found.get("Enabled", True)))


def remove_login(subject: str) -> None:
    """Remove a login that never became a member."""
    _asked("admin_delete_user", Username=subject)


def set_password(subject: str, password: str) -> None:
    """Set a lasting password; `Invalid` when it is too weak."""
    _asked("admin_set_user_password", Username=subject, Password=password, Permanent=True)


def mark_verified(subject: str) -> None:
    """Say that the login's address was proved to be its owner's."""
    verified = [{"Name": "email_verified", "Value": "true"}]
    _asked("admin_update_user_attributes", Username=subject, UserAttributes=verified)


def disable_login(subject: str) -> None:
    """Let a login sign in no more and end its sessions."""
    _asked("admin_disable_user", Username=subject)
    sign_out(subject)


def enable_login(subject: str) -> None:
    _asked("admin_enable_user", Username=subject)


def sign_out(subject: str) -> None:
    """End every session of a login: refresh tokens stop working."""
    _asked("admin_user_global_sign_out", Username=subject)


def sign_in(email: str, password: str, code: str | None = None) -> Tokens:
    """Tokens for an address and password, and the authenticator's code where the login has one.

    `Unauthorised` in the same words for an unknown address, a wrong password and a login that may not sign in;
    `CodeWanted` when only the code is missing.
    """
    parameters = {"USERNAME": email, "PASSWORD": password}
    answer = _signing_in("admin_initiate_auth", AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters=parameters)
    if answer.get("ChallengeName") == "SOFTWARE_TOKEN_MFA":
        answer = _answer_challenge(answer, email, code)
    return _tokens(answer)


def refresh(refresh_token: str) -> Tokens:
    """New access tokens for a refresh token; `Unauthorised` when it holds no longer."""
    try:
        answer = client("cognito-idp").admin_initiate_auth(
            UserPoolId=settings.user_pool_id(),
            ClientId=settings.user_pool_client_id(),
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": refresh_token},
        )
    except ClientError as error:
        if _code(error) in {"NotAuthorizedException", "UserNotFoundException"}:
            raise Unauthorised("session.ended", "The session has ended: sign in again.") from error
        raise
    return _tokens(answer)


def begin_authenticator(access_token: str) -> str:
    """A new secret for an authenticator app (base 32); it counts once a code made with it was confirmed."""
    return str(client("cognito-idp").associate_software_token(AccessToken=access_token)["SecretCode"])


def confirm_authenticator(access_token: str, code: str) -> None:
    """Confirm the authenticator with a code; from then on signing in asks for one. `Invalid` for a wrong code."""
    cognito = client("cognito-idp")
    try:
        cognito.verify_software_token(AccessToken=access_token, UserCode=code)
        cognito.set_user_mfa_preference(
            AccessToken=access_token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
        )
    except ClientError as error:
        if _code(error) in {"EnableSoftwareTokenMFAException", "CodeMismatchException"}:
            raise Invalid.of([_wrong_figures()]) from error
        raise


def remove_authenticator(subject: str) -> None:
    """Sign in with the password alone again."""
    _asked(
        "admin_set_user_mfa_preference",
        Username=subject,
        SoftwareTokenMfaSettings={"Enabled": False, "PreferredMfa": False},
    )


def _asked(operation: str, **request: Any) -> Any:
    try:
        return getattr(client("cognito-idp"), operation)(UserPoolId=settings.user_pool_id(), **request)
    except ClientError as error:
        if _code(error) == "UsernameExistsException":
            raise LoginExists from error
        if _code(error) == "InvalidPasswordException":
            raise Invalid.of([_weak_password()]) from error
        raise


def _signing_in(operation: str, **request: Any) -> Any:
    try:
        return getattr(client("cognito-idp"), operation)(
            UserPoolId=settings.user_pool_id(), ClientId=settings.user_pool_client_id(), **request
        )
    except ClientError as error:
        if _code(error) in _NOT_LET_IN:
            raise not_let_in() from error
        raise


def _answer_challenge(challenge: dict[str, Any], email: str, code: str | None) -> Any:
    if code is None:
        raise CodeWanted("session.code_wanted", "Give the six figures your authenticator shows as well.")
    username = challenge.get("ChallengeParameters", {}).get("USER_ID_FOR_SRP", email)
    responses = {"USERNAME": username, "SOFTWARE_TOKEN_MFA_CODE": code}
    return _signing_in(
        "admin_respond_to_auth_challenge",
        ChallengeName="SOFTWARE_TOKEN_MFA",
        ChallengeResponses=responses,
        Session=challenge["Session"],
    )


def _tokens(answer: dict[str, Any]) -> Tokens:
    if "AuthenticationResult" not in answer:
        raise not_let_in()
    result = answer["AuthenticationResult"]
    # Straight from Cognito over our own connection, so its signature adds nothing here.
    claims = jwt.decode(result["AccessToken"], options={"verify_signature": False})
    return Tokens(str(claims["sub"]), result["AccessToken"], result.get("RefreshToken"), int(result["ExpiresIn"]))


_NOT_LET_IN = {
    "NotAuthorizedException",
    "UserNotFoundException",
    "UserNotConfirmedException",
    "PasswordResetRequiredException",
    "CodeMismatchException",
    "ExpiredCodeException",
}


def not_let_in() -> Unauthorised:
    """The one refusal of a sign-in, whatever was wrong."""
    return Unauthorised("session.refused", "The e-mail address, the password or the code is not right.")


def _weak_password() -> Problem:
    wanted = f"at least {SHORTEST_PASSWORD} characters"
    return Problem("password.weak", f"The password needs {wanted}.", "password", wanted)


def _wrong_figures() -> Problem:
    return Problem("authenticator.code", "That is not the code the authenticator shows now.", "code", "its six figures")


def _subject(attributes: list[dict[str, str]]) -> str:
    return next(str(pair["Value"]) for pair in attributes if pair["Name"] == "sub")


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])

"""boto3's session: the person's own profile, region and keys, found without contacting any address."""

from __future__ import annotations

import os
from typing import Any

from atlas_rt.aws.bedrock_errors import AccessError
from atlas_rt.errors import MissingError

INSTALL = "Amazon Web Services need the package boto3; install it with `pip install atlas_rt[aws]`."
NO_REGION = (
    "No AWS region is set. Set one with --narrator-region, for example us-east-1, with the variable "
    "AWS_DEFAULT_REGION, or with `aws configure`."
)
NO_CREDENTIALS = (
    "No AWS credentials were found. Set them up with `aws configure`, choose a profile with the variable AWS_PROFILE, "
    "or set AWS_BEARER_TOKEN_BEDROCK to a key for Bedrock."
)


def open_session(*, profile: str = "", region: str = "") -> Any:
    """A boto3 session; it has contacted nothing. Raises MissingError without boto3, and where its settings are wrong.

    profile, region: where boto3's settings are not to decide.

    The metadata address of Amazon's own machines is never asked, as it makes other machines wait for seconds; whoever
    wants it there sets AWS_EC2_METADATA_DISABLED to false.
    """
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    try:
        from boto3.session import Session
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise MissingError(INSTALL) from error
    try:
        return Session(profile_name=profile or None, region_name=region or None)
    except BotoCoreError as error:
        raise AccessError(f"The AWS settings cannot be used: {error}. Check AWS_PROFILE and ~/.aws/config.") from error


def region_of(session: Any, given: str) -> str:
    """The region to use: the one given, else that of boto3's settings; empty where there is none."""
    return given or str(session.region_name or "")


def check_credentials(session: Any) -> None:
    """Raise AccessError where no keys are found. A profile that must be refreshed may contact its own service."""
    from botocore.exceptions import BotoCoreError

    try:
        found = session.get_credentials() or session._session.get_auth_token(signing_name="bedrock")
    except BotoCoreError as error:
        raise AccessError(f"The AWS credentials cannot be used: {error}") from error
    if found is None:
        raise AccessError(NO_CREDENTIALS)

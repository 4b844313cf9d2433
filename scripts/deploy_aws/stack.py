"""The stack in an account: its repository, its change sets, its outputs, and its end."""

from __future__ import annotations

import base64
import re
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atlas_rt.aws.session import open_session
from deploy_aws.image import NAME, ROOT

TEMPLATE = ROOT / "atlas_rt/aws/template.yaml"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
"""It makes roles, and it is written for SAM."""
WAIT_SECS = 5.0
PATIENCE_SECS = 1800.0


class StackError(Exception):
    """What was asked for did not happen; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a change set. replaces: whether the resource is made anew."""

    action: str
    name: str
    kind: str
    replaces: bool


class Account:
    """An account of AWS in one region. Every function here contacts it."""

    def __init__(self, *, profile: str = "", region: str = "", endpoint_url: str = "") -> None:
        """endpoint_url: of something that stands for AWS. Contacts nothing."""
        self._session = open_session(profile=profile, region=region)
        self._endpoint = endpoint_url or None
        self.region = str(self._session.region_name or "")
        if not self.region:
            raise StackError("no region is set; name one with --region")

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._endpoint)

    @property
    def credentials(self) -> Any:
        """botocore's, for requests that are signed by hand."""
        return self._session.get_credentials()

    def number(self) -> str:
        return str(self.client("sts").get_caller_identity()["Account"])

    # -- the image -----------------------------------------------------------------------------------------------------

    def repository(self, name: str = NAME) -> str:
        """The address of the repository, which is made if it is not there: encrypted, tags that never change."""
        ecr = self.client("ecr")
        try:
            return str(ecr.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryUri"])
        except ecr.exceptions.RepositoryNotFoundException:
            made = ecr.create_repository(
                repositoryName=name,
                imageTagMutability="IMMUTABLE",
                imageScanningConfiguration={"scanOnPush": True},
                encryptionConfiguration={"encryptionType": "AES256"},
            )
            return str(made["repository"]["repositoryUri"])

    def log_in(self, builder: str, registry: str) -> None:
        """Let a builder push; the password goes through a pipe and stands in no command line. Raises StackError."""
        token = self.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
        password = base64.b64decode(token).decode().partition(":")[2]
        command = [builder, "login", "--username", "AWS", "--password-stdin", registry]
        if subprocess.run(command, input=password, text=True, check=False).returncode:
            raise StackError(f"the registry did not let us in: {shlex.join(command)}")

    def digest(self, name: str, tag: str) -> str:
        found = self.client("ecr").describe_images(repositoryName=name, imageIds=[{"imageTag": tag}])
        return str(found["imageDetails"][0]["imageDigest"])

    # -- the stack -----------------------------------------------------------------------------------------------------

    def exists(self, stack: str) -> bool:
        """Whether it is there; one whose first change set was never executed is not."""
        cloud = self.client("cloudformation")
        try:
            (found,) = cloud.describe_stacks(StackName=stack)["Stacks"]
        except cloud.exceptions.ClientError as error:
            if "does not exist" in str(error):
                return False
            raise
        return str(found["StackStatus"]) != "REVIEW_IN_PROGRESS"

    def change_set(self, stack: str, parameters: Mapping[str, str], tags: Mapping[str, str], name: str) -> list[Change]:
        """Make a change set, which changes nothing yet; what it would change. Raises StackError."""
        cloud, there = self.client("cloudformation"), self.exists(stack)
        cloud.create_change_set(
            StackName=stack,
            ChangeSetName=name,
            ChangeSetType="UPDATE" if there else "CREATE",
            TemplateBody=TEMPLATE.read_text(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=CAPABILITIES,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        found = self._awaited(lambda: cloud.describe_change_set(StackName=stack, ChangeSetName=name), "Status")
        if found["Status"] == "FAILED":
            reason = str(found.get("StatusReason", "no reason given"))
            self.drop(stack, name)
            if "didn't contain changes" in reason or "No updates" in reason:
                return []
            raise StackError(f"the change set failed: {reason}")
        changes = [each["ResourceChange"] for each in found["Changes"]]
        return [
            Change(each["Action"], each["LogicalResourceId"], each["ResourceType"], each.get("Replacement") == "True")
            for each in changes
        ]

    def drop(self, stack: str, name: str) -> None:
        """Take a change set back, and the empty stack that a first one makes."""
        cloud, there = self.client("cloudformation"), self.exists(stack)
        cloud.delete_change_set(StackName=stack, ChangeSetName=name)
        if not there:
            cloud.delete_stack(StackName=stack)

    def execute(self, stack: str, name: str) -> None:
        """Raises StackError with the first reason that a resource gave."""
        cloud = self.client("cloudformation")
        cloud.execute_change_set(StackName=stack, ChangeSetName=name)
        found = self._awaited(lambda: cloud.describe_stacks(StackName=stack)["Stacks"][0], "StackStatus")
        if found["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            raise StackError(f"the stack is {found['StackStatus']}: {self._first_failure(stack)}")

    def outputs(self, stack: str) -> dict[str, str]:
        cloud = self.client("cloudformation")
        try:
            (found,) = cloud.describe_stacks(StackName=stack)["Stacks"]
        except cloud.exceptions.ClientError as error:
            raise StackError(f"the stack {stack} cannot be found in {self.region}: {error}") from error
        return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}

    def delete(self, stack: str) -> None:
        """The bucket and what is in it stay. Raises StackError."""
        cloud = self.client("cloudformation")
        (known,) = cloud.describe_stacks(StackName=stack)["Stacks"]
        cloud.delete_stack(StackName=stack)
        found = self._awaited(lambda: cloud.describe_stacks(StackName=known["StackId"])["Stacks"][0], "StackStatus")
        if found["StackStatus"] != "DELETE_COMPLETE":
            raise StackError(f"the stack is {found['StackStatus']}: {self._first_failure(stack)}")

    def empty(self, bucket: str) -> int:
        """Delete every version of every object, then the bucket; how many versions there were."""
        s3, count = self.client("s3"), 0
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            found = [
                {"Key": each["Key"], "VersionId": each["VersionId"]}
                for kind in ("Versions", "DeleteMarkers")
                for each in page.get(kind, [])
            ]
            if found:
                failed = s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True}).get("Errors", [])
                if failed:
                    raise StackError(f"S3 did not delete {failed[0]['Key']}: {failed[0].get('Message', '')}")
                count += len(found)
        s3.delete_bucket(Bucket=bucket)
        return count

    def _awaited(self, look: Any, field: str) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE_SECS
        while True:
            found: dict[str, Any] = look()
            if not found[field].endswith(("_IN_PROGRESS", "_PENDING")):
                return found
            if time.monotonic() > until:
                raise StackError(f"it is still {found[field]} after half an hour; look at it in the console")
            time.sleep(WAIT_SECS)

    def _first_failure(self, stack: str) -> str:
        events = self.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        failed = [each for each in events if each["ResourceStatus"].endswith("_FAILED")]
        if not failed:
            return "no reason given"
        return f"{failed[-1]['LogicalResourceId']}: {failed[-1].get('ResourceStatusReason', 'no reason given')}"


def parameters_of(words: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """NAME=VALUE words, and the parameters that have options of their own. Raises StackError, with the right names."""
    known = template_parameters(TEMPLATE.read_text("utf-8"))
    found = {name: value for name, value in given.items() if value}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or name not in known:
            raise StackError(f"{word!r} is no NAME=VALUE; names are {', '.join(sorted(known))}")
        found[name] = value
    missing = [name for name, has_default in known.items() if not has_default and name not in found]
    if missing:
        raise StackError(f"these parameters have no value: {', '.join(missing)}")
    return found


def template_parameters(text: str) -> dict[str, bool]:
    """Names of a template's parameters -> whether each has a default. Reads our own way of writing it."""
    block = text.partition("\nParameters:\n")[2].partition("\nMappings:")[0]
    parts = re.split(r"(?m)^  (\w+):$", block)[1:]
    return {name: "\n    Default:" in facts for name, facts in zip(parts[::2], parts[1::2], strict=True)}


def push_commands(builder: str, image: str, uri: str) -> list[list[str]]:
    """How an image gets into the registry."""
    if builder == "buildah":
        return [[builder, "push", "--format", "v2s2", image, f"docker://{uri}"]]
    return [[builder, "tag", image, uri], [builder, "push", uri]]

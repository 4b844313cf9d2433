"""An S3 on loopback: moto as a server in a thread, which checks signatures and what a user's policy allows.

The checks are on from the start, so every request of a test is signed with a real key. `open` turns them off for a
while. Each test uses a bucket of its own (`bucket`), so that nothing is ever reset.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from atlas_rt.core.s3_options import S3Options

REGION = "us-east-1"
ALL: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
_LOADER = functools.cache(botocore.loaders.create_loader)
_CHECKED, _OPEN = "0", "1000000000"
"""How many requests moto answers before it checks any."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one user."""

    key: str
    secret: str


class S3Server:
    """A running server. url: its address. admin: keys that may do everything."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.options = S3Options(endpoint_url=url)
        self._numbers = itertools.count(1)
        self.admin = Keys("none", "none")
        self._clients: dict[tuple[str, str], Any] = {}
        self._check(_OPEN)
        self.admin = self.user(ALL)
        self._check(_CHECKED)

    @property
    def client(self) -> Any:
        """boto3's client as the administrator, not through any code of ours."""
        return self._made("s3")

    def bucket(self, name: str = "", *, region: str = REGION, objects: Mapping[str, bytes] | None = None) -> str:
        """A new private bucket that holds these objects; its name."""
        name = name or f"bucket-{next(self._numbers)}"
        where: dict[str, Any] = (
            {} if region == REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        )
        self.client.create_bucket(Bucket=name, **where)
        for key, body in (objects or {}).items():
            self.client.put_object(Bucket=name, Key=key, Body=body)
        return name

    def user(self, policy: Mapping[str, Any]) -> Keys:
        """Keys of a new user with this policy. moto checks actions and resources, no conditions."""
        name, iam = f"user-{next(self._numbers)}", self._made("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="given", PolicyDocument=json.dumps(policy))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return Keys(made["AccessKeyId"], made["SecretAccessKey"])

    def user_of(self, bucket: str, actions: Sequence[str]) -> Keys:
        """Keys of a new user who may do only this with a bucket and its objects."""
        resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resources}
        return self.user({"Version": "2012-10-17", "Statement": [statement]})

    def environment(self, keys: Keys | None = None) -> dict[str, str]:
        """The variables with which boto3, in a process of its own, comes here with these keys."""
        keys = keys or self.admin
        return environment_of(keys.key, keys.secret) | {"AWS_ENDPOINT_URL_S3": self.url}

    @contextmanager
    def open(self) -> Iterator[None]:
        """Inside, nothing is checked."""
        self._check(_OPEN)
        try:
            yield
        finally:
            self._check(_CHECKED)

    def _check(self, after: str) -> None:
        """moto reads the body only where its type is text/plain."""
        request = urllib.request.Request(
            f"{self.url}/moto-api/reset-auth", data=after.encode(), headers={"Content-Type": "text/plain"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer)["status"] == "ok"

    def _made(self, service: str) -> Any:
        """A client of the administrator; each is made once, as that takes a third of a second."""
        if (service, self.admin.key) not in self._clients:
            session = boto3.session.Session(self.admin.key, self.admin.secret, region_name=REGION)
            config = Config(retries={"total_max_attempts": 1})
            self._clients[service, self.admin.key] = session.client(service, endpoint_url=self.url, config=config)
        return self._clients[service, self.admin.key]


def environment_of(key: str, secret: str) -> dict[str, str]:
    """Keys in the environment, and no file of the person who runs the tests."""
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def use_environment(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    """Let boto3 see these variables and no others of its own. What it knows of the services is read once in a run."""
    monkeypatch.setattr(botocore.loaders, "create_loader", _LOADER)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def write_credentials(file: Path, keys: Keys, *, token: str = "", profile: str = "default") -> None:
    """Keys in a file as `aws configure` writes it; written whole, as another program may read it at this moment."""
    lines = [f"[{profile}]", f"aws_access_key_id = {keys.key}", f"aws_secret_access_key = {keys.secret}"]
    lines += [f"aws_session_token = {token}"] if token else []
    beside = file.with_suffix(".new")
    beside.write_text("\n".join(lines) + "\n")
    beside.replace(file)


@pytest.fixture(scope="session")
def running_s3() -> Iterator[S3Server]:
    """The one server of a run. A test takes `s3`, which also sets the environment."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3Server(f"http://{host}:{port}")
    finally:
        server.stop()


@pytest.fixture
def s3(running_s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server, with the administrator's keys in the environment, and its address nowhere but in `options`."""
    use_environment(monkeypatch, environment_of(running_s3.admin.key, running_s3.admin.secret))
    return running_s3

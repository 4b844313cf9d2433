"""`scripts/deploy-aws`: its words, its arithmetic, and what it does to an account that moto plays."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deploy_aws import __main__ as program
from deploy_aws import cost, image
from deploy_aws.stack import TEMPLATE, Account, StackError, parameters_of, push_commands, template_parameters

from atlas_rt.aws import handler
from tests.s3_server import S3Server

URI = "123456789012.dkr.ecr.us-east-1.amazonaws.com/atlas-rt-embed:1"


def run(monkeypatch: pytest.MonkeyPatch, *words: str, typed: str | None = None) -> int:
    monkeypatch.setattr(sys, "argv", ["deploy-aws", *words])

    def answer(question: str) -> str:
        print(question)
        if typed is None:
            raise EOFError
        return typed

    monkeypatch.setattr("builtins.input", answer)
    return program.main()


@pytest.mark.parametrize("command", ["build", "package", "deploy", "smoke", "cost", "delete"])
def test_every_command_explains_itself(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, command, "--help")
    assert ended.value.code == 0
    assert f"scripts/deploy-aws {command}" in capsys.readouterr().out


def test_the_image_is_made_of_what_is_installed_here(tmp_path: Path) -> None:
    folder = image.make_folder(tmp_path / "image")
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert all("==" in line for line in lines)
    for name in ("atlas_rt/aws/handler.py", "models/starter/image.onnx", "models/vocabulary.txt", "Dockerfile"):
        assert (folder / name).is_file()
    assert not (folder / "models/demo").exists()
    with pytest.raises(image.ImageError, match=r"model\.toml"):
        image.make_folder(tmp_path / "image", [tmp_path])


def test_a_folder_alone_needs_no_builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert run(monkeypatch, "build", "--folder-only", "--folder", str(tmp_path / "image")) == 0
    assert run(monkeypatch, "build", "--folder", str(tmp_path / "image")) == 3


def test_the_bill_is_the_sum_of_what_it_shows() -> None:
    measured = cost.Measured(170.0, 0.0, 2000.0, 9000.0, "made up")
    lines = {line.name: line for line in cost.bill(cost.Plan(1_000_000), measured)}
    assert lines["Lambda, time"].usd == pytest.approx(1e6 * 0.17 * 1769 / 1024 * 0.0000166667)
    assert lines["S3, shards written"].usd == pytest.approx(10_000 * 5e-6)
    for line in lines.values():
        factors = [each.strip().split(" ")[0].replace(",", "") for each in line.arithmetic.split(" x ")]
        product = 1.0
        for factor in factors:
            product *= float(factor)
        assert product == pytest.approx(line.usd, rel=0.01), line
    assert cost.MIB_PER_PROCESSOR == handler.MIB_PER_PROCESSOR
    assert "10,000 images" in cost.table(cost.Plan(10_000), measured)


def test_parameters_are_those_of_the_template() -> None:
    given = {"ImageUri": URI, "BucketName": "b", "AuthType": ""}
    assert parameters_of(["AuthType=IAM"], given) == {"ImageUri": URI, "BucketName": "b", "AuthType": "IAM"}
    with pytest.raises(StackError, match="ImageUri"):
        parameters_of([], {"BucketName": "b"})
    for word in ("AuthType", "Authtype=IAM"):
        with pytest.raises(StackError, match="AuthType"):
            parameters_of([word], given)


def test_the_template_is_read_as_the_linter_reads_it() -> None:
    from cfnlint.decode import cfn_yaml

    known = cfn_yaml.load(str(TEMPLATE))["Parameters"]
    assert template_parameters(TEMPLATE.read_text()) == {name: "Default" in facts for name, facts in known.items()}


def test_an_image_is_pushed_as_each_builder_does_it() -> None:
    assert push_commands("buildah", "a:1", URI) == [["buildah", "push", "--format", "v2s2", "a:1", f"docker://{URI}"]]
    assert push_commands("docker", "a:1", URI) == [["docker", "tag", "a:1", URI], ["docker", "push", URI]]


def test_the_repository_is_made_once(s3: S3Server) -> None:
    account = Account(endpoint_url=s3.url)
    assert account.repository("embed") == account.repository("embed")
    (made,) = account.client("ecr").describe_repositories()["repositories"]
    assert made["imageTagMutability"] == "IMMUTABLE"


def test_pushing_is_only_told_until_it_is_asked_for(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(image, "builder", lambda _: "docker")
    assert run(monkeypatch, "package", "--endpoint-url", s3.url, "--tag", "7") == 0
    told = capsys.readouterr().out
    assert "docker push 123456789012.dkr.ecr.us-east-1.amazonaws.com/atlas-rt-embed:7" in told
    assert "--yes" in told


def test_a_bucket_is_emptied_of_every_version_only_when_its_name_is_typed(s3: S3Server) -> None:
    bucket = s3.bucket(objects={"a": b"1"})
    s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"2", b"3"):
        s3.client.put_object(Bucket=bucket, Key="a", Body=body)
    s3.client.delete_object(Bucket=bucket, Key="a")
    assert Account(endpoint_url=s3.url).empty(bucket) == 4
    assert bucket not in [each["Name"] for each in s3.client.list_buckets()["Buckets"]]


STACK = """
Parameters: {Name: {Type: String, Default: BUCKET}}
Resources: {Queue: {Type: AWS::SQS::Queue}}
Outputs: {BucketName: {Value: !Ref Name}}
"""


@pytest.fixture
def small(s3: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[str, tuple[str, ...]]:
    """The bucket of a small template, as moto does not know what ours holds; the words that find it and its stack."""
    bucket = s3.bucket(objects={"kept": b"1"})
    file = tmp_path / "template.yaml"
    file.write_text(STACK.replace("BUCKET", bucket))
    monkeypatch.setattr("deploy_aws.stack.TEMPLATE", file)
    monkeypatch.setattr("deploy_aws.stack.WAIT_SECS", 0.1)
    monkeypatch.setattr(program, "parameters_of", lambda *_: {})
    return bucket, ("--endpoint-url", s3.url, "--stack", f"stack-{bucket}")


def test_a_stack_is_made_only_when_its_name_is_typed(
    s3: S3Server,
    small: tuple[str, tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bucket, where = small
    assert run(monkeypatch, "deploy", *where, "--image-uri", URI, typed="no") == 2
    assert "AWS::SQS::Queue" in capsys.readouterr().out
    assert not Account(endpoint_url=s3.url).exists(f"stack-{bucket}")
    assert run(monkeypatch, "smoke", *where) == 3
    assert run(monkeypatch, "deploy", *where, "--image-uri", URI, "--yes") == 0
    assert Account(endpoint_url=s3.url).exists(f"stack-{bucket}")


def test_a_stack_is_deleted_only_when_its_name_is_typed_and_its_bucket_when_that_is_too(
    s3: S3Server, small: tuple[str, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, where = small
    account = Account(endpoint_url=s3.url)
    name = f"stack-{bucket}"  # moto gives outputs only to stacks that come without a change set
    account.client("cloudformation").create_stack(StackName=name, TemplateBody=STACK.replace("BUCKET", bucket))
    for typed in (None, "", "yes", bucket):
        assert run(monkeypatch, "delete", *where, typed=typed) == 2
    assert account.exists(name)
    assert run(monkeypatch, "delete", *where, "--bucket-content", typed=name) == 2
    assert not account.exists(name)
    assert s3.client.get_object(Bucket=bucket, Key="kept")["Body"].read() == b"1"


def test_without_a_region_nothing_is_asked(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert run(monkeypatch, "package", "--endpoint-url", s3.url) == 3


def test_the_script_starts(tmp_path: Path) -> None:
    script = Path(program.__file__).parents[1] / "deploy-aws"
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0

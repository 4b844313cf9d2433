"""The template, as it is written and as SAM translates it: what the linter says, and what its roles may do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atlas_rt.aws import embed_requests, handler
from atlas_rt.aws.loop_guard import LoopGuard
from atlas_rt.core.assets import assets_folder
from tests.aws.lambda_stack import role_of

TEMPLATE = Path(handler.__file__).with_name("template.yaml")
ANYTHING: set[str] = set()
"""Actions that know no resource and so must name `*`; none is needed."""
RUNS_AS = {"BucketName": "b", "InputPrefix": "images/", "OutputPrefix": "shards/", "AWS::Partition": "aws"}


@pytest.fixture(scope="module")
def translated() -> dict[str, Any]:
    return translate(TEMPLATE)


def translate(file: Path) -> dict[str, Any]:
    """What CloudFormation is given in the end. Works offline: no policy of AWS's own is named."""
    from cfnlint.decode import cfn_yaml
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    class Session:
        region_name = "eu-central-1"

    source = json.loads(json.dumps(cfn_yaml.load(str(file))))
    made = Translator({}, Parser(), boto_session=Session()).translate(sam_template=source, parameter_values={})
    return dict(json.loads(json.dumps(made)))


def findings(text: str) -> list[str]:
    from cfnlint import api, config

    # W3005: SAM writes a DependsOn that is also implied.
    rules = config.ManualArgs(regions=["us-east-1", "eu-central-1"], ignore_checks=["W3005"])
    return [f"{each.rule.id} {each.message} {each.path}" for each in api.lint(text, config=rules)]


def test_the_linter_finds_nothing_in_it_and_in_its_translation(translated: dict[str, Any]) -> None:
    """Both: with SAM's transform in it, the linter passes over actions, ranges and parameters that are not used."""
    assert findings(TEMPLATE.read_text()) == []
    assert findings(json.dumps(translated)) == []


def statements(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every policy, with the name of its resource."""

    def walk(name: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(value, dict):
            if "Effect" in value and "Action" in value:
                yield name, value
            for each in value.values():
                yield from walk(name, each)
        elif isinstance(value, list):
            for each in value:
                yield from walk(name, each)

    for name, resource in template["Resources"].items():
        yield from walk(name, resource)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_nothing_is_allowed_but_named_actions_on_named_resources(translated: dict[str, Any]) -> None:
    allowed = [(name, each) for name, each in statements(translated) if each["Effect"] == "Allow"]
    assert len(allowed) >= 10
    for name, each in allowed:
        for action in listed(each["Action"]):
            assert "*" not in action, f"{name} allows {action}"
            assert "*" not in listed(each.get("Resource")) or action in ANYTHING, (
                f"{name} allows {action} on everything"
            )
        assert each.get("Principal") != "*", f"{name} allows everybody"


def test_every_arn_is_of_any_partition() -> None:
    """China and GovCloud have their own."""
    text = re.sub(r"(?m)#.*$|^\s*AllowedPattern:.*$", "", TEMPLATE.read_text())
    assert len(re.findall(r"arn:\$\{AWS::Partition\}:", text)) >= 10
    assert not re.findall(r"arn:(?!\$\{AWS::Partition\}:).{0,20}", text)


def test_no_output_can_be_heard(translated: dict[str, Any]) -> None:
    """The patterns of the prefixes have no word in common; the notification is for one, the right to write for the
    other."""
    parameters, resources = translated["Parameters"], translated["Resources"]
    heard, written = (re.compile(parameters[name]["AllowedPattern"]) for name in ("InputPrefix", "OutputPrefix"))
    words = [
        "images/",
        "shards/",
        "images/shards/",
        "shards/images/",
        "images/a/b/",
        "",
        "/",
        "a/",
        "images",
        "images//",
    ]
    for first in filter(heard.match, words):
        for second in filter(written.match, words):
            LoopGuard("b", first, second)
    assert not [word for word in words if heard.match(word) and written.match(word)]
    (queue,) = resources["Bucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    assert queue["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": {"Ref": "InputPrefix"}}]
    put = [each for _, each in statements(translated) if "s3:PutObject" in listed(each["Action"])]
    assert [each["Resource"]["Fn::Sub"].rpartition("}/")[2] for each in put] == ["${OutputPrefix}*"]


def test_the_tests_run_with_the_rights_of_the_template(translated: dict[str, Any]) -> None:
    """`lambda_stack.role_of` is what the role may do with S3."""
    policies = translated["Resources"]["ShardsRole"]["Properties"]["Policies"]
    told = {
        (action, re.sub(r"\$\{(.*?)\}", lambda found: RUNS_AS[found[1]], each["Resource"]["Fn::Sub"]))
        for each in policies[0]["PolicyDocument"]["Statement"]
        for action in listed(each["Action"])
        if action.startswith("s3:")
    }
    assert told == {(each["Action"], each["Resource"]) for each in role_of("b")["Statement"]}


def test_bucket_and_queue_are_closed(translated: dict[str, Any]) -> None:
    resources = translated["Resources"]
    bucket = resources["Bucket"]
    assert bucket["DeletionPolicy"] == "Retain"
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["Properties"]["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    denied = {
        name for name, each in statements(translated) if each["Effect"] == "Deny" and "SecureTransport" in str(each)
    }
    assert denied == {"BucketPolicy", "QueuePolicy", "DeadLetterQueuePolicy"}


def test_a_message_stays_hidden_for_six_times_the_time_a_batch_may_take(translated: dict[str, Any]) -> None:
    window = translated["Parameters"]["BatchWindowSecs"]["MaxValue"]
    known = translated["Mappings"]["VisibilitySecs"]
    assert [str(each) for each in translated["Parameters"]["BatchTimeoutSecs"]["AllowedValues"]] == list(known)
    assert all(each["Value"] == 6 * int(secs) + window for secs, each in known.items())
    (mapping,) = [
        each for each in translated["Resources"].values() if each["Type"] == "AWS::Lambda::EventSourceMapping"
    ]
    assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["Properties"]["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "MaximumConcurrency"}}


def test_its_functions_and_types_are_those_of_the_code(translated: dict[str, Any]) -> None:
    functions = [each for each in translated["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    commands = sorted(each["Properties"]["ImageConfig"]["Command"][0] for each in functions)
    assert commands == [f"{handler.__name__}.{name.__name__}" for name in (handler.answer_request, handler.write_shard)]
    types = translated["Resources"]["Api"]["Properties"]["BinaryMediaTypes"]
    assert all(each.startswith(embed_requests.IMAGE_TYPES) for each in types)
    variables = {name for each in functions for name in each["Properties"]["Environment"]["Variables"]}
    assert variables == {"ATLAS_RT_BUCKET", "ATLAS_RT_INPUT_PREFIX", "ATLAS_RT_OUTPUT_PREFIX"}


def test_another_way_of_knowing_callers_makes_another_deployment(translated: dict[str, Any]) -> None:
    """A deployment is a copy: one that stayed the same would go on answering as before."""
    resources = translated["Resources"]
    chosen = resources["Stage"]["Properties"]["DeploymentId"]["Fn::If"]
    assert chosen == ["ByIam", {"Ref": "DeploymentByIam"}, {"Ref": "DeploymentByKey"}]
    assert [resources[each["Ref"]]["Condition"] for each in chosen[1:]] == ["ByIam", "ByKey"]


def test_template_and_image_lie_in_the_package() -> None:
    for name in ("template.yaml", "Dockerfile"):
        assert TEMPLATE.with_name(name).is_file()
    assert assets_folder("models").is_dir()

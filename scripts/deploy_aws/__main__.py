"""The commands of `scripts/deploy-aws`.

Nothing is changed in an account without --yes or a word that is typed; what would be done is printed before.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import platformdirs

from atlas_rt import __version__
from atlas_rt.errors import AtlasError
from deploy_aws import cost, image
from deploy_aws.emulator import EmulatorError
from deploy_aws.smoke import Check, Deployed, local, smoke
from deploy_aws.stack import Account, StackError, parameters_of, push_commands
from deploy_aws.unproven import UNPROVEN

FOLDER = platformdirs.user_cache_path("atlas_rt") / "lambda-image"
STACK = "atlas-rt"
MEASURED = cost.Measured(
    processor_ms=90.0,
    wait_ms=30.0,
    cold_ms=3500.0,
    shard_bytes=9000.0,
    where="`scripts/campaign lambda`, JPEGs of 12 megapixels, 28 November 2026; the wait for S3 is assumed",
)


def main() -> int:
    options = _parser().parse_args()
    try:
        return int(options.run(options))
    except (image.ImageError, StackError, EmulatorError) as error:
        print(f"deploy-aws: {error}", file=sys.stderr)
        return 3
    except AtlasError as error:
        print(f"deploy-aws: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if not type(error).__module__.startswith(("botocore", "boto3")):
            raise
        print(f"deploy-aws: AWS did not do this: {error}", file=sys.stderr)
        return 3


def build(options: argparse.Namespace) -> int:
    """The container image, from this checkout."""
    folder = image.make_folder(options.folder, options.with_model)
    tag = f"{image.NAME}:{options.tag}"
    if options.folder_only:
        print(f"the image's folder is {folder}")
        return 0
    command = image.build_command(
        image.builder(options.builder),
        folder,
        tag,
        base=options.base,
        machine=options.machine,
        more=options.build_option,
    )
    image.build(command)
    print(f"built {tag}; next: scripts/deploy-aws package --tag {options.tag}")
    return 0


def package(options: argparse.Namespace) -> int:
    """Push the image to the account's registry (ECR)."""
    account = Account(profile=options.profile, region=options.region, endpoint_url=options.endpoint_url)
    builder, local_image = image.builder(options.builder), f"{image.NAME}:{options.tag}"
    if not options.yes:
        registry = f"{account.number()}.dkr.ecr.{account.region}.amazonaws.com"
        uri = f"{registry}/{image.NAME}:{options.tag}"
        print(f"would make the repository {image.NAME} in {account.region} if it is not there, then run:")
        print(f"  {builder} login --username AWS --password-stdin {registry}")
        for command in push_commands(builder, local_image, uri):
            print(f"  {shlex.join(command)}")
        print("Add --yes to do it.")
        return 0
    uri = f"{account.repository()}:{options.tag}"
    account.log_in(builder, uri.partition("/")[0])
    for command in push_commands(builder, local_image, uri):
        print("+", shlex.join(command), flush=True)
        if subprocess.run(command, check=False).returncode:
            raise StackError("the image was not pushed; the builder's message is above")
    pushed = f"{uri.rpartition(':')[0]}@{account.digest(image.NAME, options.tag)}"
    print(f"pushed; next: scripts/deploy-aws deploy --image-uri {pushed}")
    return 0


def deploy(options: argparse.Namespace) -> int:
    """Make or change the stack, by a change set that is shown first."""
    account = Account(profile=options.profile, region=options.region, endpoint_url=options.endpoint_url)
    bucket = options.bucket or f"{options.stack}-{account.number()}-{account.region}".lower()
    given = {"ImageUri": options.image_uri, "BucketName": bucket}
    parameters = parameters_of(options.parameter, given)
    for name, value in sorted(parameters.items()):
        print(f"  {name} = {value}")
    name = f"change-{os.getpid()}"
    changes = account.change_set(options.stack, parameters, {"application": options.stack}, name)
    if not changes:
        print("nothing would change")
        return 0
    for change in changes:
        print(f"  {change.action:8} {change.kind:40} {change.name}{' (made anew)' if change.replaces else ''}")
    if not options.yes and not _typed(options.stack, f"Type {options.stack} to execute these {len(changes)} changes: "):
        account.drop(options.stack, name)
        print("nothing was changed")
        return 2
    account.execute(options.stack, name)
    for key, value in sorted(account.outputs(options.stack).items()):
        print(f"  {key} = {value}")
    print(f"next: scripts/deploy-aws smoke --stack {options.stack}")
    return 0


def try_it(options: argparse.Namespace) -> int:
    """A phrase, an image and an object through the functions; vectors are compared with this machine's."""

    def tell(check: Check) -> None:
        found = "failed" if check.cosine is None else f"cosine {check.cosine:.6f}"
        print(f"{'ok' if check.holds else 'NOT OK':6} {check.name:26} {found:18} {check.detail}", flush=True)

    if options.local:
        with local(platformdirs.user_cache_path("atlas_rt")) as here:
            held = smoke(here, tell)
    else:
        account = Account(profile=options.profile, region=options.region, endpoint_url=options.endpoint_url)
        held = smoke(Deployed(account, options.stack), tell)
    return 0 if held else 1


def count_cost(options: argparse.Namespace) -> int:
    """What embedding costs, with the arithmetic."""
    measured = MEASURED if options.ms is None else replace(MEASURED, processor_ms=options.ms, where="--ms")
    for images in options.images:
        plan = cost.Plan(
            images, options.image_mb * 1e6, options.memory, options.batch, options.containers, options.machine
        )
        print(cost.table(plan, measured), end="\n\n")
    print(f"measured: {measured.processor_ms:g} ms of a processor an image, {measured.cold_ms:g} ms a start")
    print(f"by: {measured.where}")
    print(f"prices: {cost.PRICES_OF}")
    return 0


def delete(options: argparse.Namespace) -> int:
    """Delete the stack. The bucket and what is in it stay, unless its name is typed."""
    account = Account(profile=options.profile, region=options.region, endpoint_url=options.endpoint_url)
    outputs = account.outputs(options.stack)
    bucket = outputs.get("BucketName", "")
    print(f"the stack {options.stack} in {account.region}; its bucket {bucket} stays as it is")
    if not _typed(options.stack, f"Type {options.stack} to delete the stack: "):
        print("nothing was deleted")
        return 2
    account.delete(options.stack)
    print(f"deleted {options.stack}; as long as the bucket stays, the next stack needs another one (--bucket)")
    if options.bucket_content and bucket:
        print(f"the bucket {bucket} and every version of every object in it can be deleted too; there is no way back")
        if not _typed(bucket, f"Type {bucket} to delete it all: "):
            print(f"kept {bucket}")
            return 2
        print(f"deleted {bucket} with {account.empty(bucket):,} versions of objects")
    return 0


def _typed(word: str, question: str) -> bool:
    """Whether a person types this word; nobody does where there is no terminal."""
    try:
        return input(question).strip() == word
    except EOFError:
        print()
        return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy-aws", description="Embedding images on AWS Lambda.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, *examples: str, more: str = "") -> argparse.ArgumentParser:
        says = str(run.__doc__)
        shown = "\n".join(f"  scripts/deploy-aws {name} {example}".rstrip() for example in examples)
        made = commands.add_parser(
            name,
            help=says,
            description=says,
            epilog=f"examples:\n{shown}{more}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(run=run)
        return made

    made = command("build", build, "", "--folder-only --folder /tmp/image")
    _image_options(made)
    made.add_argument("--folder", type=Path, default=FOLDER, help="where the image's files are put together")
    made.add_argument("--folder-only", action="store_true", help="put them together and build nothing")
    made.add_argument(
        "--base", default="", metavar="IMAGE", help="another image to begin with; it needs python3 and pip"
    )
    made.add_argument("--machine", choices=("x86_64", "arm64"), default="x86_64")
    made.add_argument("--with-model", type=Path, action="append", default=[], metavar="DIR", help="another encoder")
    made.add_argument(
        "--build-option", action="append", default=[], metavar="WORD", help="given to the builder as it is"
    )

    made = command("package", package, "", "--region eu-central-1 --yes")
    _image_options(made)
    _account_options(made)
    made.add_argument("--yes", action="store_true", help="push, and do not only say how")

    unproven = "\n".join(f"  {each.what}\n      {each.command}" for each in UNPROVEN)
    only = f"\n\nwhat only a real account can show, and the command that shows it:\n{unproven}"
    made = command("deploy", deploy, "--image-uri URI", "--image-uri URI --parameter AuthType=IAM --yes", more=only)
    _account_options(made)
    _stack_option(made)
    made.add_argument("--image-uri", required=True, metavar="URI", help="what `package` printed")
    made.add_argument("--bucket", default="", help="its name (STACK-ACCOUNT-REGION)")
    made.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="of the template")
    made.add_argument("--yes", action="store_true", help="execute the change set without a question")

    made = command("smoke", try_it, "--local", "--stack atlas-rt")
    _account_options(made)
    _stack_option(made)
    made.add_argument("--local", action="store_true", help="in Lambda's emulator and moto, without an account")

    made = command("cost", count_cost, "", "--images 50000 --memory 1769 --ms 120")
    made.add_argument("--images", type=int, nargs="+", default=[10_000, 1_000_000])
    made.add_argument("--image-mb", type=float, default=3.0, help="megabytes of one image (3)")
    made.add_argument("--memory", type=int, default=3008, help="MiB of the function (3008)")
    made.add_argument("--ms", type=float, default=None, help="of a processor, for one image")
    made.add_argument("--batch", type=int, default=100)
    made.add_argument("--containers", type=int, default=10, help="how many run at the same time (10)")
    made.add_argument("--machine", choices=tuple(cost.GB_SECOND), default="x86_64")

    made = command("delete", delete, "", "--stack atlas-rt --bucket-content")
    _account_options(made)
    _stack_option(made)
    made.add_argument("--bucket-content", action="store_true", help="ask about the bucket too")
    return parser


def _image_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tag", default=__version__, help=f"of the image ({__version__})")
    parser.add_argument(
        "--builder", default="", choices=("", *image.BUILDERS), help="the first that works if not given"
    )


def _account_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", default="", help="section of ~/.aws/config")
    parser.add_argument("--region", default="")
    parser.add_argument("--endpoint-url", default="", help=argparse.SUPPRESS)


def _stack_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", default=STACK, help=f"its name ({STACK})")


if __name__ == "__main__":
    sys.exit(main())

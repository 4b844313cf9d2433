"""Lambda's functions in AWS's own emulator and in their image: starts, times, memory, kills, limits, checkov.

Needs the internet once: the emulator (8 MB), checkov and, with buildah and mmdebstrap on the PATH, what the image is
made of. All of it is kept in the user's cache. Without root or buildah the image's part is skipped.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest
from deploy_aws import image
from deploy_aws.emulator import Emulator, Report, emulator_binary
from PIL import Image

from atlas_rt.distributed.image_worker import ImageWorker, Unusable
from atlas_rt.library.tables.rows import ImageRow
from atlas_rt.library.tables.shard_file import ShardFile
from tests.aws.lambda_stack import INPUT, Stack, messages, s3_event
from tests.aws.test_template import TEMPLATE, translate
from tests.libraries import PICTURES, ROOT
from tests.s3_server import S3Server, environment_of

WORK = Path(os.environ.get("ATLAS_RT_CAMPAIGN") or platformdirs.user_cache_path("atlas_rt") / "lambda-campaign")
BASE, PRODUCT = "localhost/atlas-base", f"localhost/{image.NAME}"
SKIPPED = {
    "CKV_AWS_18": "the bucket's access log would be a second bucket; CloudTrail's data events tell the same",
    "CKV_AWS_21": "versions are a parameter, as they double what is stored",
    "CKV_AWS_27": "the queues are encrypted by SqsManagedSseEnabled, which checkov does not know",
    "CKV_AWS_73": "X-Ray costs a role more and tells of two calls",
    "CKV_AWS_76": "access logs of a REST API need a role that is set for the whole account",
    "CKV_AWS_115": "reserved concurrency is a parameter: accounts with little of it cannot reserve any",
    "CKV_AWS_116": "a queue's function has its dead letters at the queue; the other one is called and waited for",
    "CKV_AWS_117": "in a VPC a function needs an endpoint or a NAT gateway to reach S3, and gains nothing here",
    "CKV_AWS_120": "answers to POST are not cached",
    "CKV_AWS_158": "logs hold no image and no phrase; AWS's own key encrypts them",
    "CKV_AWS_173": "the environment holds no secret",
}
"""checkov's findings that are not mended, each with its reason."""


def photograph(number: int) -> bytes:
    """A JPEG of 12 megapixels: a drawing of the demo, enlarged, with a sensor's noise."""
    with Image.open(PICTURES[number]) as drawn:
        large = np.asarray(drawn.convert("RGB").resize((4000, 3000)), np.int16)
    noisy = large + np.random.default_rng(number).normal(0, 6, (3000, 4000, 1)).astype(np.int16)
    data = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(data, "JPEG", quality=85)
    return data.getvalue()


@pytest.fixture(scope="module")
def cache() -> Path:
    """The label words as vectors, as the image has them."""
    ImageWorker.open("starter", cache=WORK / "cache")
    return WORK / "cache"


@pytest.fixture(scope="module")
def host(cache: Path) -> dict[str, str]:
    """Variables of a function that runs in this machine's own Python."""
    return {"PYTHONPATH": str(ROOT), "ATLAS_RT_CACHE": str(cache)}


def fill(stack: Stack, files: dict[str, bytes]) -> list[dict[str, Any]]:
    for name, data in files.items():
        stack.server.client.put_object(Bucket=stack.bucket, Key=INPUT + name, Body=data)
    records = stack.batch()["Records"]
    return [{"Records": records[start : start + 20]} for start in range(0, len(records), 20)]


def tell(name: str, images: int, size: int, report: Report, secs: list[float]) -> None:
    """One line of the table. Processor time is what another load on this machine does not change."""
    warm_ms = sorted(secs)[len(secs) // 2] * 1000
    processors_ms = sum(report.processor_secs[1:]) / images * 1000
    first_ms, start_ms = report.duration_ms[0], report.init_ms[0]
    print(
        f"\n{name:24} start {start_ms:.0f} ms, first batch {first_ms:.0f} ms, warm {warm_ms:.1f} ms an image "
        f"({processors_ms:.1f} ms of processors), {max(report.peak_mib)} MiB; {images} images of {size / 1e6:.2f} MB, "
        f"load {os.getloadavg()[0]:.1f}"
    )


def equal_vectors(stack: Stack, files: dict[str, bytes], folder: Path) -> tuple[int, float]:
    """How many rows, and the least cosine to this machine's vectors."""
    worker = ImageWorker.open("starter", cache=folder, labels=False)
    least, count = 1.0, 0
    for data in stack.shards().values():
        (folder / "s.parquet").write_bytes(data)
        with ShardFile(folder / "s.parquet") as shard:
            rows = [row for group in range(shard.groups) for row in shard.group(group)]
        for row in rows:
            assert isinstance(row, ImageRow), row
            prepared = worker.prepare(files[row.item.uri.rpartition("/")[2]])
            assert not isinstance(prepared, Unusable)
            mine = worker.encode([prepared])[0].astype(np.float16).astype(np.float64)
            theirs = row.vector.astype(np.float64)
            least = min(least, float(mine @ theirs / np.linalg.norm(mine) / np.linalg.norm(theirs)))
            count += 1
    return count, least


def run(name: str, stack: Stack, files: dict[str, bytes], folder: Path, **how: Any) -> None:
    """All files in batches of 20, the first with a cold start; vectors are compared."""
    batches = fill(stack, files)
    secs = []
    with Emulator("atlas_rt.aws.handler.write_shard", timeout_secs=300, **how) as function:
        for number, batch in enumerate(batches):
            answer = function.invoke(batch)
            assert answer.payload == {"batchItemFailures": []}, function.log()[-3000:]
            if number:
                secs.append(answer.secs / len(batch["Records"]))
        report = function.report()
    count, least = equal_vectors(stack, files, folder)
    warm_images = sum(len(batch["Records"]) for batch in batches[1:])
    shard_bytes = sum(map(len, stack.shards().values())) / count
    tell(name, warm_images, sum(map(len, files.values())) // len(files), report, secs)
    print(
        f"{'':34} {count} vectors, least cosine to this machine's {least:.7f}; {shard_bytes:,.0f} bytes of shard each"
    )
    assert (count, least >= 0.9999999) == (len(files), True)


def drawings(count: int = 120) -> dict[str, bytes]:
    return {picture.name: picture.read_bytes() for picture in PICTURES[:count]}


def photographs(count: int = 41) -> dict[str, bytes]:
    return {f"{number}.jpg": photograph(number) for number in range(count)}


@pytest.mark.parametrize("make", [drawings, photographs])
def test_start_time_and_memory(make: Any, running_s3: S3Server, host: dict[str, str], tmp_path: Path) -> None:
    stack = Stack.make(running_s3)
    run(f"emulator, {make.__name__}", stack, make(), tmp_path, variables=stack.variables | host)


# -- what ends a function ----------------------------------------------------------------------------------------------


class Stuck:
    """An S3 that gives a picture for every key and, until it is freed, takes no shard."""

    def __init__(self) -> None:
        self.freed, self.written = threading.Event(), list[str]()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                data = PICTURES[0].read_bytes()
                self.send_response(200)
                self.send_header("ETag", '"e"')
                self.send_header("Last-Modified", "Wed, 21 Oct 2026 07:28:00 GMT")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_PUT(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if outer.freed.wait(60):
                    outer.written.append(self.path)
                    self.send_response(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.freed.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    made = Stuck()
    yield made
    made.close()


def test_a_function_that_is_killed_begins_again_and_writes_the_same(stuck: Stuck, host: dict[str, str]) -> None:
    variables = (
        environment_of("k", "s")
        | host
        | {
            "AWS_ENDPOINT_URL_S3": stuck.url,
            "ATLAS_RT_BUCKET": "b",
            "ATLAS_RT_INPUT_PREFIX": "images/",
            "ATLAS_RT_OUTPUT_PREFIX": "shards/",
        }
    )
    batch = messages(*(s3_event("b", f"images/{number}.webp") for number in range(3)))
    with Emulator("atlas_rt.aws.handler.write_shard", variables, timeout_secs=8) as function:
        killed = function.invoke(batch)
        assert "Task timed out after 8" in str(killed.payload)
        stuck.freed.set()
        assert function.invoke(batch).payload == {"batchItemFailures": []}
        assert function.invoke(batch).payload == {"batchItemFailures": []}
        report = function.report()
    assert len(report.init_ms) == 2, "a cold start after the kill, and none after that"
    assert len(set(stuck.written)) == 1, stuck.written
    times = len(stuck.written)
    print(
        f"\nkilled after {killed.secs:.1f} s; started again in {report.init_ms[1]:.0f} ms; one shard, put {times} times"
    )


KILLER = """
import os
from atlas_rt.aws import handler, shard_batch

read = shard_batch.read_whole

def reads(connection, address):
    if address.key.endswith("/3.webp"):
        os._exit(139)
    return read(connection, address)

shard_batch.read_whole = reads
write_shard = handler.write_shard
"""


def test_an_image_that_kills_the_process_costs_no_other(
    running_s3: S3Server, host: dict[str, str], tmp_path: Path
) -> None:
    """Five deliveries, as the queue makes them; then the messages are dead letters, but the images are in shards."""
    (tmp_path / "killer.py").write_text(KILLER)
    stack = Stack.make(running_s3)
    for number in range(7):
        data = PICTURES[number].read_bytes()
        running_s3.client.put_object(Bucket=stack.bucket, Key=f"{INPUT}{number}.webp", Body=data)
    batch = messages(*(s3_event(stack.bucket, f"{INPUT}{number}.webp") for number in range(7)))
    variables = stack.variables | host | {"PYTHONPATH": f"{ROOT}:{tmp_path}", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}
    with Emulator("killer.write_shard", variables) as function:
        for received in range(1, 6):
            for record in batch["Records"]:
                record["attributes"] = {"ApproximateReceiveCount": str(received)}
            assert function.invoke(batch).payload["errorType"] == "Runtime.ExitError"
    written = set()
    for data in stack.shards().values():
        (tmp_path / "s.parquet").write_bytes(data)
        with ShardFile(tmp_path / "s.parquet") as shard:
            written |= {row.item.uri.rpartition("/")[2] for row in shard.index()}
    assert written == {f"{number}.webp" for number in range(7) if number != 3}


def test_what_lambda_itself_does_with_an_answer_that_is_too_large(host: dict[str, str], tmp_path: Path) -> None:
    """502 and a function that starts anew. Ours says 413 before it comes to that."""
    (tmp_path / "large.py").write_text("def handler(event, context):\n    return 'x' * event['size']\n")
    with Emulator("large.handler", {"PYTHONPATH": str(tmp_path)}, folder=tmp_path) as function:
        large = function.invoke({"size": 6_291_556})
        assert (large.status, large.payload["errorType"]) == (502, "Function.ResponseSizeTooLarge")
        assert function.invoke({"size": 6_000_000}).status == 200
    variables = environment_of("k", "s") | host | {"ATLAS_RT_BUCKET": "b", "ATLAS_RT_INPUT_PREFIX": "images/"}
    event = {
        "httpMethod": "POST",
        "path": "/embed",
        "headers": {"Content-Type": "application/json"},
        "requestContext": {"identity": {"apiKeyId": "k"}},
        "body": json.dumps({"texts": [f"number {number} of many" for number in range(1000)]}),
        "isBase64Encoded": False,
    }
    with Emulator("atlas_rt.aws.handler.answer_request", variables, timeout_secs=60) as function:
        answer = function.invoke(event)
        body = answer.payload["body"]
        print(f"\n1,000 phrases: HTTP {answer.payload['statusCode']}, {len(body):,} bytes, {answer.secs:.1f} s")
        assert answer.payload["statusCode"] in {200, 413}
        assert len(body) < 6_000_000


def test_smoke_runs_locally() -> None:
    """In a process of its own, as moto's checks are one for all of its servers in a process."""
    given = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'scripts'}"}
    command = [sys.executable, "-m", "deploy_aws", "smoke", "--local"]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    print("\n" + done.stdout)
    assert (done.returncode, done.stdout.count("ok ")) == (0, 4), done.stderr[-2000:]


def test_the_whole_way(running_s3: S3Server, host: dict[str, str], tmp_path: Path) -> None:
    """Pushed, told of, embedded, imported: a library of the bucket that reads and embeds nothing."""
    stack = Stack.make(running_s3)
    (tmp_path / "pictures").mkdir()
    for picture in PICTURES[:60]:
        shutil.copy(picture, tmp_path / "pictures")

    def atlas(*words: str) -> dict[str, Any]:
        options = ("--cache", str(tmp_path / "cache"), "--data", str(tmp_path / "data"), "--json")
        command = [sys.executable, "-m", "atlas_rt", *words, *options, "--endpoint-url", running_s3.url]
        given = os.environ | running_s3.environment()
        done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        print(f"\n{words[0]}: {done.stdout}", end="")
        return dict(json.loads(done.stdout))

    images, shards = f"s3://{stack.bucket}/images", f"s3://{stack.bucket}/shards"
    assert atlas("push", str(tmp_path / "pictures"), images)["sent"] == 60
    with Emulator("atlas_rt.aws.handler.write_shard", stack.variables | host, timeout_secs=300) as function:
        while records := stack.batch()["Records"]:
            for start in range(0, len(records), 20):
                part = {"Records": records[start : start + 20]}
                stack.settle(part, function.invoke(part).payload)
    assert atlas("import", shards, "--into", images)["imported"] == 60
    report = atlas("index", images)
    assert (report["images"], report["new"], report["unchanged"], report["requests"]["get"]) == (60, 0, 60, 0)


# -- the image ---------------------------------------------------------------------------------------------------------


def buildah(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["buildah", *words], env=os.environ | storage(), capture_output=True, text=True, check=False, **more
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done


def storage() -> dict[str, str]:
    """buildah's own folder below ours, with a driver that works everywhere."""
    folder = WORK / "buildah"
    folder.mkdir(parents=True, exist_ok=True)
    conf = folder / "storage.conf"
    conf.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n')
    (folder / "policy.json").write_text('{"default":[{"type":"insecureAcceptAnything"}]}')
    return {"CONTAINERS_STORAGE_CONF": str(conf)}


def pip_settings(folder: Path) -> list[str]:
    """Options with which pip in the image uses this machine's certificates and index."""
    found = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True
    )
    lines = ["[global]", "disable-pip-version-check = 1"]
    lines += [f"index-url = {found.stdout.strip()}"] if found.returncode == 0 else []
    certificates = Path("/etc/ssl/certs/ca-certificates.crt")
    lines += [f"cert = {certificates}"] if certificates.is_file() else []
    (folder / "pip.conf").write_text("\n".join(lines))
    shared = [f"{certificates.parent}:{certificates.parent}:ro", f"{folder}/pip.conf:/etc/pip.conf:ro"]
    return [word for each in shared for word in ("--volume", each)]


@pytest.fixture(scope="module")
def container() -> Iterator[str]:
    """A container of the image, built from Debian's packages: no registry of images is asked."""
    if not (shutil.which("buildah") and shutil.which("mmdebstrap") and os.geteuid() == 0):
        pytest.skip("the image needs root, buildah and mmdebstrap: apt-get install buildah mmdebstrap")
    names = ["--signature-policy", str(WORK / "buildah/policy.json")]
    began = time.monotonic()
    if BASE not in buildah("images").stdout:
        base = WORK / "base"
        base.mkdir(parents=True, exist_ok=True)
        packages = "python3,python3-pip,ca-certificates"
        command = ["mmdebstrap", "--variant=minbase", f"--include={packages}", "bookworm", str(base / "base.tar")]
        subprocess.run(command, check=True, capture_output=True)
        (base / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
        buildah("bud", *names, "--isolation", "chroot", "-t", BASE, str(base))
    based = time.monotonic()
    folder = image.make_folder(WORK / "image")
    options = [*names, "--isolation", "chroot", *pip_settings(WORK)]
    command = image.build_command("buildah", folder, PRODUCT, base=BASE, machine="x86_64", more=options)
    buildah(*command[1:])
    sizes = [" ".join(line.split()[-2:]) for line in buildah("images").stdout.splitlines() if "localhost/" in line]
    print(f"\nbase in {based - began:.0f} s, image in {time.monotonic() - based:.0f} s; sizes {', '.join(sizes)}")
    name = buildah("from", *names, PRODUCT).stdout.strip()
    yield name
    buildah("rm", name)


def entered(container: str, variables: dict[str, str]) -> dict[str, Any]:
    """How `Emulator` starts a function in a container; it shares this machine's network."""
    settings = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    binary = f"{emulator_binary()}:/opt/rie:ro"
    words = ["buildah", "run", "--isolation", "chroot", "--volume", binary, *settings, container, "--"]
    return {"prefix": words, "program": ("/opt/rie", "python3"), "variables": storage()}


@pytest.mark.parametrize("make", [drawings, photographs])
def test_the_image_gives_the_same_vectors(make: Any, container: str, running_s3: S3Server, tmp_path: Path) -> None:
    """In the container, as nobody, with nothing that can be written but /tmp."""
    stack = Stack.make(running_s3)
    told = stack.variables | {"AWS_LAMBDA_FUNCTION_TIMEOUT": "300", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008"}
    run(f"image, {make.__name__}", stack, make(), tmp_path, **entered(container, told))


def test_nothing_in_the_image_can_be_written_and_nobody_owns_it(container: str) -> None:
    script = "id -u; touch /var/task/x /opt/atlas_rt/x 2>&1 | wc -l; python3 -c 'import huggingface_hub' 2>&1 | tail -1"
    told = subprocess.run(
        ["buildah", "run", "--isolation", "chroot", container, "--", "sh", "-c", script],
        env=os.environ | storage(),
        capture_output=True,
        text=True,
        check=False,
    )
    print("\n" + told.stdout)
    lines = told.stdout.splitlines()
    assert lines[:2] == ["65534", "2"]
    assert "No module named 'huggingface_hub'" in told.stdout


# -- the template ------------------------------------------------------------------------------------------------------


def test_checkov_finds_nothing_but_what_has_a_reason(tmp_path: Path) -> None:
    venv = WORK / "checkov"
    if not (venv / "bin/checkov").is_file():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([venv / "bin/pip", "install", "--quiet", "checkov==3.3.30"], check=True, capture_output=True)
    file = tmp_path / "template.json"
    file.write_text(json.dumps(translate(TEMPLATE)))
    command = [venv / "bin/checkov", "-f", file, "--framework", "cloudformation", "--output", "json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    failed = json.loads(done.stdout)["results"]["failed_checks"]
    found = {each["check_id"] for each in failed}
    for each in failed:
        reason = SKIPPED.get(each["check_id"], f"NO REASON: {each['check_name']}")
        print(f"\n{each['check_id']} {each['resource']}: {reason}", end="")
    assert found == SKIPPED.keys(), "every finding has a reason, and every reason a finding"

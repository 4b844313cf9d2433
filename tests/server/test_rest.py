"""`atlas-rt serve` as another program meets it: what it answers, what it refuses, and what comes of images sent."""

from __future__ import annotations

import io
import os
import socket
import stat
import struct
import time
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import schemathesis
from hypothesis import settings
from PIL import Image

from atlas_rt.library.cache_layout import remember_opened
from atlas_rt.library.lock import Lock
from atlas_rt.library.store import StoreReader
from atlas_rt.server.rest import Services, build
from atlas_rt.window.writer import Writer
from atlas_rt.workers.lookout import LockLookout
from tests.commands.person import Person
from tests.libraries import job_of, listing, wait_for
from tests.server.conftest import Neighbourhood
from tests.server.door import Answered, Door

GUITAR = "acoustic-guitar.webp"
EVERYWHERE = (
    "/health",
    "/library",
    "/search?text=dog",
    "/neighbors/3",
    "/clusters",
    "/clusters/0",
    "/map",
    "/images/3",
    "/images/3/thumbnail",
    "/images/3/picture",
    "/openapi.json",
    "/docs",
    "/nothing",
)


def id_of(door: Door, name: str) -> int:
    """Ids were given in the order of the paths."""
    return sorted(path.name for path in door.library.source.glob("*.webp")).index(name) + 1


# -- who may ask -------------------------------------------------------------------------------------------------------


def test_the_token_lies_in_a_file_of_this_user_alone_and_covers_every_address(door: Door) -> None:
    assert stat.S_IMODE(door.token_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(door.token_file.parent.stat().st_mode) == 0o700
    for path in EVERYWHERE:
        for given in ("", "Bearer", "Bearer wrong", f"Basic {door.token_file.read_text()}", "Bearer \xff"):
            answer = door.ask(path, Authorization=given)
            assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer"), path
            assert "token" in answer.sentence
    assert [path for path in EVERYWHERE if door.ask(path).status != 200] == ["/nothing"]


def test_another_host_or_another_web_page_is_refused(door: Door) -> None:
    for host in ("evil.example", f"evil.example:{door.port}", "127.0.0.1.evil.example", "[::", ""):
        assert door.ask("/library", Host=host).status == 400, host
    assert door.ask("/library", Host=f"localhost:{door.port}").status == 200
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{door.port + 1}", "https://localhost"):
        assert door.ask("/library", Origin=origin).status == 403, origin
    assert door.ask("/library", Origin=f"http://127.0.0.1:{door.port}").status == 200


def test_it_listens_on_this_machine_only(door: Door) -> None:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    listening = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    assert [place for place in listening if place.endswith(f":{door.port:04X}")] == [f"0100007F:{door.port:04X}"]


# -- what it answers ---------------------------------------------------------------------------------------------------


def test_search_neighbours_and_clusters_are_those_of_the_commands(
    door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, source = Person(tmp_path, door.library.cache, capsys), door.library.source
    words = ("--json", "--no-update")
    guitar = id_of(door, GUITAR)
    names = {id_of(door, path.name): str(path) for path in source.glob("*.webp")}

    def told(results: list[dict[str, object]]) -> list[tuple[object, object]]:
        return [(names.get(each["id"], each["id"]), each["score"]) for each in results]  # type: ignore[call-overload]

    spoken = door.ask("/search?text=eine+Gitarre&language=de&top=1").document
    assert spoken["results"][0]["id"] == guitar
    assert spoken["reading"] == {"language": "de", "english": "guitar", "words": [["Gitarre", "guitar"]], "unread": []}
    assert "reading" not in door.ask("/search?text=eine+Gitarre&language=de&as_typed=true&top=1").document
    for text, path in (("a guitar", "a+guitar"), ("+fruit -apple", "%2Bfruit+-apple")):
        found = door.ask(f"/search?text={path}&top=5").document
        asked = reader.ask("search", source, text, "--top", "5", *words).document
        assert told(found["results"]) == [(each["path"], each["score"]) for each in asked["results"]]
        assert [each["match"] for each in found["results"]] == [each["match"] for each in asked["results"]]
    near = door.ask(f"/neighbors/{guitar}?top=4").document
    asked = reader.ask("neighbors", source, str(guitar), "--top", "4", *words).document
    assert told(near["results"]) == [(each["path"], each["score"]) for each in asked["results"]]
    clusters = door.ask("/clusters").document
    asked = reader.ask("clusters", source, *words).document
    assert sorted((each["id"], each["name"], each["size"]) for each in clusters) == sorted(
        (each["id"], each["name"], each["size"]) for each in asked
    )
    assert [each["size"] for each in clusters] == sorted((each["size"] for each in clusters), reverse=True)
    both = door.ask(f"/search?text=a+dog&image_id={guitar}&top=3").document["results"]
    assert guitar in [each["id"] for each in both]
    assert door.ask("/search").document["notices"] == ["say what to look for: text, an image's id, or both"]
    assert "No image here is labelled" in door.ask("/search?text=label:zzz").document["notices"][0]


def test_a_cluster_is_told_with_its_images_and_explained_offline(door: Door) -> None:
    largest = door.ask("/clusters").document[0]
    cluster = door.ask(f"/clusters/{largest['id']}").document
    assert cluster["cluster"] == largest
    assert len(cluster["images"]) == largest["size"]
    assert [len(each["exemplars"]) for each in cluster["subclusters"]] != []
    assert all(set(each["exemplars"]) <= set(cluster["images"]) for each in cluster["subclusters"])
    why = door.ask(f"/clusters/{largest['id']}/explain", method="POST").document
    assert (why["explained_by"], why["text"], why["cost_usd"]) == ("vocabulary", largest["why"], 0.0)
    assert set(why["evidence"]) <= set(cluster["images"])
    assert all(0.0 < word["share"] <= 1.0 for word in why["words"])


def test_an_image_is_told_and_shown_without_its_path(door: Door) -> None:
    guitar = id_of(door, GUITAR)
    details = door.ask(f"/images/{guitar}").document
    with Image.open(door.library.source / GUITAR) as original:
        assert (details["width_px"], details["height_px"]) == original.size
    assert "guitar" in [label["word"] for label in details["labels"]]
    thumbnail, picture = (door.ask(f"/images/{guitar}/{what}") for what in ("thumbnail", "picture?max_px=200"))
    for answer, side_px in ((thumbnail, 128), (picture, 200)):
        assert answer.headers["content-type"] == "image/jpeg"
        with Image.open(io.BytesIO(answer.body)) as shown:
            assert max(shown.size) == side_px
            assert shown.width / shown.height == pytest.approx(
                details["width_px"] / details["height_px"], abs=0.1
            )  # in a margin
    for path in EVERYWHERE:
        body = door.ask(path).body
        assert os.fsencode(door.library.source) not in body, path
        assert os.fsencode(door.library.cache) not in body, path


def test_the_map_is_told_as_json_and_as_arrays(door: Door) -> None:
    told = door.ask("/map").document
    arrays = np.load(io.BytesIO(door.ask("/map", Accept="application/octet-stream").body), allow_pickle=False)
    map_ = door.library.map
    assert np.array_equal(arrays["ids"][: len(map_.ids)], map_.ids)
    assert np.array_equal(arrays["positions"][: len(map_.ids)], map_.positions)
    assert told["ids"] == arrays["ids"].tolist()
    assert np.allclose(told["positions"], arrays["positions"], atol=1e-6)
    edges = [[edge["source"], edge["target"]] for edge in told["edges"]]
    assert edges == arrays["edges"].tolist()


def test_texts_and_images_are_embedded_in_the_space_of_the_library(door: Door) -> None:
    image = (door.library.source / GUITAR).read_bytes()
    seen = door.send("/embed", image).document
    said = door.ask("/embed", method="POST", body=b'{"text": "a guitar"}', Content_Type="application/json").document
    assert (seen["model"], seen["dim"], len(seen["vector"])) == ("starter", door.library.model.dim, seen["dim"])
    with StoreReader.open(door.library.place.folder) as store:
        (row,) = store.vector_rows(door.library.model.id, np.array([id_of(door, GUITAR)]))
    file = np.fromfile(door.library.model_folder / "vectors.f16", np.float16).reshape(-1, seen["dim"])
    assert float(np.dot(file[row], seen["vector"])) == pytest.approx(1.0, abs=0.002)
    others = [float(np.dot(vector, said["vector"])) for vector in file[:138].astype(np.float32)]
    assert int(np.argmax(others)) == row


def test_the_description_can_be_read_by_people_and_programs(door: Door) -> None:
    described = door.ask("/openapi.json").document
    assert described == DESCRIPTION
    assert described["paths"].keys() >= {"/search", "/neighbors/{id}", "/clusters/{id}/explain", "/embed", "/images"}
    page = door.ask("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert all(path.encode() in page.body for path in described["paths"])
    assert b"//" not in page.body  # it loads nothing from elsewhere


# -- bad input ---------------------------------------------------------------------------------------------------------


def bomb() -> bytes:
    """A PNG of 900 megapixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(2**20))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def refused(answer: Answered, status: int, words: str) -> None:
    assert (answer.status, words in answer.sentence) == (status, True), answer.body


def test_what_is_not_there_is_said(door: Door) -> None:
    for path in ("/neighbors/9999", "/images/9999", "/images/9999/thumbnail", "/images/0/picture"):
        refused(door.ask(path), 404, "there is no image")
    refused(door.ask("/search?image_id=9999"), 404, "there is no image")
    refused(door.ask("/clusters/9999"), 404, "there is no cluster")
    refused(door.ask("/clusters/9999/explain", method="POST"), 404, "there is no cluster")
    refused(door.ask(f"/images/{2**63}"), 422, "id")
    refused(door.ask("/images/three"), 422, "id")
    refused(door.ask("/search?text=dog&top=0"), 422, "top")
    refused(door.ask("/search?text=dog&language=klingon"), 422, "language must be one of af")
    refused(door.ask("/search?txt=dog"), 422, "it has as_typed, image_id, language, text, top")
    for path in ("/../etc/passwd", "/images/../../etc/passwd", "/images/..%2f..%2fetc%2fpasswd", "/images/%00"):
        assert door.ask(path).status in {404, 422}, path


def test_what_is_no_picture_is_refused_and_not_kept(door: Door) -> None:
    kept = sorted(door.data.rglob("*"))
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    for path in ("/images", "/embed"):
        refused(door.send(path, svg, "image/svg+xml"), 415, "the content type must be one of image/jpeg")
        refused(door.send(path, svg, "image/png"), 422, "not a picture in a known format")
        refused(door.send(path, b"", "image/png"), 422, "the file is empty")
        refused(door.send(path, bomb(), "image/png"), 422, "900 megapixels, more than the 300")
        refused(door.send(path, b"x", "multipart/form-data; boundary=x"), 415, "and the file the body")
    for body in (b"{", b'{"text": 5}', b'{"text": "x", "more": 1}', b"[" * 50_000):
        refused(door.send("/embed", body, "application/json"), 422, "the body must be")
    assert sorted(door.data.rglob("*")) == kept


@pytest.mark.parametrize("announced", [True, False], ids=["by its length", "by counting"])
def test_a_body_of_100_mb_is_refused(door: Door, announced: bool) -> None:
    big = bytes(100 * 10**6)
    body = big if announced else (big[start : start + 2**20] for start in range(0, len(big), 2**20))
    kind = {"Content_Type": "image/png"} if announced else {"Content_Type": "image/png", "Transfer_Encoding": "chunked"}
    refused(door.ask("/images", method="POST", body=body, **kind), 413, "larger than the 65,536 kB")
    refused(door.ask("/search", method="GET", body=bytes(2**17)), 413, "larger than the 64 kB")
    assert door.ask("/health").status == 200


def test_slow_clients_hold_nobody_up(door: Door) -> None:
    slow = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(60)]
    token = door.authorized["Authorization"]
    for number, client in enumerate(slow):
        begun = f"POST /images HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\nContent-Length: 1000\r\n\r\n"
        client.sendall(begun.encode() if number % 2 else b"GET /health HTTP/1.1\r\nHost: local")
    begun_secs = time.monotonic()
    assert door.ask("/search?text=a+dog").status == 200
    assert time.monotonic() - begun_secs < 5.0
    for client in slow:
        client.close()
    assert door.ask("/health").status == 200


def test_200_at_once_are_all_answered(door: Door) -> None:
    paths = ["/search?text=a+dog&top=5", "/neighbors/3", "/images/5/thumbnail", "/map"] * 50
    with ThreadPoolExecutor(200) as people:
        assert Counter(answer.status for answer in people.map(door.ask, paths)) == {200: 200}


NOTHING: Any = None
DESCRIPTION = build(Services(*[NOTHING] * 6)).openapi()
"""As a server gives it: it depends on no library."""
schema = schemathesis.openapi.from_dict(DESCRIPTION)
# A case without the token would get it all the same from the headers below. If the only other thing wrong with it was
# an unknown parameter with an empty list, of which nothing is sent, a right request was called accepted wrongly.
schema.config.generation.update(with_security_parameters=False)


@schema.parametrize()
@settings(max_examples=4, derandomize=True, deadline=None)
@pytest.mark.filterwarnings("ignore:Skipped test cases with unsupported payload media types:UserWarning")
def test_every_request_that_the_description_allows_is_answered_as_it_says(case: schemathesis.Case, door: Door) -> None:
    case.call_and_validate(base_url=door.url, headers=door.authorized)


# -- images that are sent ----------------------------------------------------------------------------------------------


def sent(door: Door, image: Path) -> int:
    """The id of an image once it was sent and is in the library."""

    def answered() -> int | None:
        answer = door.send(f"/images?name=..%2f..%2f{image.name}", image.read_bytes())
        assert answer.status == 202
        found: int | None = answer.document["id"]
        return found

    id_: int = wait_for(answered, secs=40.0)
    return id_


def test_images_join_by_the_engine_of_an_open_window_and_without_one_by_the_servers_own(
    neighbourhood: Neighbourhood, newcomers: list[Path]
) -> None:
    door, engine = neighbourhood.door, neighbourhood.engine
    assert door.ask("/health").document["writer"] == "another process"
    first = sent(door, newcomers[0])
    engine.stop()  # the window is closed
    wait_for(lambda: door.ask("/health").document["writer"] == "this server", secs=20.0)
    second = sent(door, newcomers[1])
    assert second != first
    for id_, image in ((first, newcomers[0]), (second, newcomers[1])):
        assert door.ask(f"/search?image_id={id_}&top=1").document["results"][0]["id"] == id_
        (file,) = [path for path in (door.data / "received").rglob("*.webp") if path.stem.startswith(image.stem[:20])]
        assert file.read_bytes() == image.read_bytes()
        assert file.parent.parent == door.data / "received"
    assert listing(door.library.source) == door.library.before
    told = door.errors.read_text()
    assert "Traceback" not in told
    assert "defect" not in told


def test_a_window_that_is_opened_later_takes_the_library_over(door: Door) -> None:
    """What a window does at its start, and what its main thread does in each frame."""
    place = door.library.place
    wait_for(lambda: door.ask("/health").document["writer"] == "this server", secs=20.0)
    holder = Lock(place).holder()
    remember_opened(door.library.cache, place)
    lookout = LockLookout(place)
    window = Writer(job_of(place, door.library.cache, stay=True), lookout, holder=holder)
    try:
        assert not window.writes
        wait_for(lambda: list(window.messages()) and window.writes, secs=20.0)
        wait_for(lambda: door.ask("/health").document["writer"] == "another process", secs=20.0)
    finally:
        window.close()
        lookout.close()

"""`shot`, `view` without a display, `doctor`: each in a process of its own, since they draw; or say why they cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.commands import doctor
from atlas_rt.commands.shot import lay_over
from atlas_rt.library import inotify_limits
from atlas_rt.settings import Settings
from tests.commands.person import WITHOUT_OPENGL, Person, Told
from tests.libraries import Library, listing
from tests.screens import screen_of

OLD_OPENGL = {"MESA_GL_VERSION_OVERRIDE": "3.0"}


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """An X server of our own."""
    with screen_of(1280, 720) as name:
        yield name


def colours(picture: Path) -> int:
    """How many colours a picture has: an empty one has few."""
    with Image.open(picture) as image:
        return len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0))


# -- shot --------------------------------------------------------------------------------------------------------------


def test_one_frame_as_a_picture(reader: Person, library: Library, here: Path) -> None:
    words = ("--size", "640x360", "--panel", "clusters", "--json")
    told = reader.run("shot", library.source, "-o", "plain.png", *words).document
    assert (told["path"], told["size"], told["images"]) == (str(here / "plain.png"), [640, 360], 138)
    asked = ("--search", "-guitar +drum", "--select", library.source / "acoustic-guitar.webp", "--eye", "-1,0.5,-2")
    lit = reader.run("shot", library.source, "-o", "lit.png", "--size", "640x360", *asked, "--look", "-0.1,0,0")
    assert (lit.code, lit.out, lit.err) == (0, "", f"written: {here}/lit.png\n")
    with Image.open(here / "plain.png") as plain, Image.open(here / "lit.png") as other:
        assert plain.size == other.size == (640, 360)
        assert np.any(np.asarray(plain) != np.asarray(other))
        assert np.asarray(plain)[32:50, 32:98].max() > 200  # the panel's title
    assert colours(here / "plain.png") > 1000
    dim = ("--filter", "name:acoustic", "--panel", "timeline", "--size", "640x360", "--no-update")
    told = reader.run("shot", library.source, "-o", "dim.png", *dim)
    assert (told.code, told.err) == (0, f"written: {here}/dim.png\n")
    with Image.open(here / "plain.png") as plain, Image.open(here / "dim.png") as dimmed:
        assert np.asarray(dimmed).mean() < np.asarray(plain).mean()
    visit = ("--visit", library.source / "acoustic-guitar.webp", "--size", "960x540", "--no-update", "--json")
    for renderer in ("gl", "software"):
        told = reader.run("shot", library.source, "-o", f"{renderer}.png", "--renderer", renderer, *visit)
        assert (told.code, told.document["size"]) == (0, [960, 540])
    with Image.open(here / "gl.png") as drawn, Image.open(here / "software.png") as other:
        apart = np.abs(np.asarray(drawn, int) - np.asarray(other, int))[100:400, 150:450]
    assert np.median(apart) < 16  # both end there
    assert listing(library.source) == library.before


@pytest.mark.parametrize("shrunk", [1, 2])
def test_panels_are_laid_over_a_picture_drawn_in_parts(shrunk: int) -> None:
    pixels = np.full((1200, 40, 3), 100, np.uint8)
    panels = np.zeros((1200 // shrunk, 40 // shrunk, 4), np.uint8)
    panels[600 // shrunk :] = (50, 0, 0, 128)
    lay_over(pixels, panels)
    assert (pixels[:590] == 100).all()
    assert np.abs(pixels[610:].astype(int) - (100, 50, 50)).max() <= 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "1x1"], "'1x1' is out of range; each side is 16 to 16384"),
        (["--size", "16384x16384"], "is too large; the limit is 134 million pixels"),
        (["--size", "1280"], "'1280' is not a size; write it as 1280x720"),
        (["--size", "²x²"], "'²x²' is not a size"),
        (["--eye", "1,2"], "'1,2' is not a point; write it as 0.5,0,2"),
        (["--eye", "nan,0,0"], "'nan,0,0' is too far away"),
        (["--look", "1e30,0,0"], "'1e30,0,0' is too far away; the images lie within about 1 of 0,0,0"),
        (["--eye"], "expected one argument"),
        (["--quality", "ultra"], "--quality must be one of auto, low, normal, high, not 'ultra'"),
        (["--select", "nothing.png", "--no-update"], "this library has no such image: nothing.png"),
        (["--visit", "nothing.png", "--no-update"], "this library has no such image: nothing.png"),
        (["--filter", "a dog", "--no-update"], "--filter: “a dog” is no field; there are name, folder, keyword"),
        (["--filter", "colour:red", "--no-update"], "--filter: There is no field colour:"),
        (["--filter", "rating:many", "--no-update"], "--filter: “many” is no rating; write rating:4"),
        (["--visit", "a.png", "--eye", "0,0,2"], "--visit says where the camera stands: leave out --select, --eye"),
    ],
)
def test_a_shot_that_cannot_be_is_refused(reader: Person, library: Library, words: list[str], said: str) -> None:
    told = reader.ask("shot", library.source, "-o", "x.png", *words)
    assert told.code == 2
    assert said in told.refusal


# -- view without a display --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_without_a_display_a_picture_is_written_where_one_stands(person: Person, folder: Path, here: Path) -> None:
    told = person.run(folder, "--quality", "low")
    assert told.lines == [str(here / "atlas.png")]
    assert told.err == "there is no display here: indexing, then drawing a picture of the map\n"
    with Image.open(here / "atlas.png") as picture:
        assert picture.size == (1920, 1080)
    assert colours(here / "atlas.png") > 500
    again = person.run("--json", "-o", "mine.png", "--quality", "low")  # without a source: the last one
    assert again.document == {"path": str(here / "mine.png"), "images": 6}
    assert len(list(folder.iterdir())) == 6


@pytest.mark.parametrize("through_a_link", [pytest.param(False, marks=pytest.mark.slow), True])
def test_no_picture_is_written_into_the_source(
    person: Person, folder: Path, tmp_path: Path, through_a_link: bool
) -> None:
    (tmp_path / "link").symlink_to(folder)
    told = person.run(tmp_path / "link" if through_a_link else ".", "--quality", "low", here=folder)
    (picture,) = [Path(line) for line in told.lines]
    assert picture.is_relative_to(person.cache)
    assert picture.is_file()
    assert f"the current folder belongs to the source, so the picture goes to {picture.parent}" in told.err
    assert len(list(folder.iterdir())) == 6


def test_without_a_display_and_a_source_it_says_what_to_name(person: Person) -> None:
    told = person.run()
    assert told.code == 2
    assert told.refusal == "there is no display here; name a folder of images to get a picture of its map instead"


def test_a_picture_of_another_kind_is_refused_before_anything_else(person: Person, folder: Path, here: Path) -> None:
    told = person.run(folder, "-o", "atlas.jpg")
    assert (told.code, told.refusal) == (2, f"the file's name must end in .png: {here}/atlas.jpg")
    assert not list(person.cache.glob("libraries/*/library.db"))


def test_a_film_that_is_not_there_is_refused(person: Person, folder: Path, here: Path) -> None:
    told = person.run("--webcam", "film.mp4", folder)
    assert told.code == 2
    assert (
        told.refusal == f"this film does not exist; name another, or the number of a camera, from 0 on: {here}/film.mp4"
    )


@pytest.mark.parametrize("environment", [WITHOUT_OPENGL, pytest.param(OLD_OPENGL, marks=pytest.mark.slow)])
def test_without_opengl_the_rasterizer_draws_and_says_so(
    person: Person, folder: Path, here: Path, environment: dict[str, str]
) -> None:
    told = person.run(folder, "--renderer", "gl", **environment)
    assert (told.code, told.out) == (3, "")
    assert "6 images are indexed, but nothing can be drawn: " in told.refusal
    assert person.ask("library", "list", "--json").document[0]["images"] == 6
    drawn = person.run(folder, **environment)
    assert (drawn.code, drawn.lines) == (0, [str(here / "atlas.png")])
    assert "OpenGL 3.3" in drawn.err
    assert "the map is drawn without it, and without panels" in drawn.err
    words = ("--size", "320x180", "--select", folder / "acorn.webp", "-o", "x.png", "--no-update")
    assert person.run("shot", folder, *words, **environment).code == 0
    assert min(colours(here / "atlas.png"), colours(here / "x.png")) > 500


@pytest.mark.parametrize("environment", [WITHOUT_OPENGL, OLD_OPENGL])
def test_with_a_display_but_without_opengl_it_indexes_and_says_so(
    person: Person, folder: Path, environment: dict[str, str], screen: str
) -> None:
    told = person.run(folder, DISPLAY=screen, **environment)
    assert (told.code, told.out) == (3, "")
    assert "6 images are indexed, but no window can be opened: no OpenGL 3.3 here" in told.refusal
    assert person.ask("library", "list", "--json").document[0]["images"] == 6


def test_with_a_display_a_folder_without_images_opens_no_window(person: Person, tmp_path: Path, screen: str) -> None:
    (tmp_path / "empty").mkdir()
    told = person.run(tmp_path / "empty", DISPLAY=screen)
    assert told.code == 2
    assert told.refusal == f"there are no images here; name a folder that holds some: {tmp_path / 'empty'}"
    assert not (person.cache / "libraries").exists()


# -- doctor ------------------------------------------------------------------------------------------------------------


def findings(told: Told) -> dict[str, dict[str, str]]:
    for finding in told.document:
        assert finding.keys() == {"check", "status", "detail", "advice"}
        assert finding["status"] in {"ok", "warning", "broken"}
        assert (finding["advice"] != "") == (finding["status"] != "ok")
    return {finding["check"]: finding for finding in told.document}


def test_the_doctor_says_what_works(reader: Person, library: Library) -> None:
    found = findings(reader.run("doctor", library.source, "--json"))
    assert list(found) == [
        *(
            "program",
            "packages",
            "cache",
            "ONNX Runtime",
            "models",
            "image encoder",
            "text encoder",
            "OpenGL",
            "display",
            "scripts",
            "camera",
            "watching",
            "library",
            "search",
        )
    ]
    assert found["search"]["detail"].startswith("recall at 10 against all: 1.000 for everyday words, 1.000 for images")
    for check in ("program", "packages", "cache", "ONNX Runtime", "image encoder", "text encoder", "library"):
        assert found[check]["status"] == "ok"
    for check in ("ONNX Runtime", "image encoder", "text encoder"):
        assert "runs on CPU" in found[check]["detail"]
    assert found["display"]["status"] == "warning"
    assert found["library"]["detail"].startswith("138 images, 0 failed, in ")


def test_the_doctor_counts_the_folders_that_can_be_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, folder = Settings(cache=str(tmp_path / "cache")), tmp_path / "pictures"
    (folder / "summer" / "beach").mkdir(parents=True)
    monkeypatch.setattr(doctor, "limit_of", lambda _: 100)
    monkeypatch.setattr(doctor, "watches_in_use", lambda: 97)
    for needed, status in ((3, "ok"), (4, "warning")):
        found = doctor._watching(settings, (str(folder),))
        detail = f"97 of the 100 folders that can be watched are; this library needs {needed} more"
        assert (found.status, found.detail) == (status, detail)
        (folder / "winter").mkdir(exist_ok=True)
    assert f"sudo sysctl {inotify_limits.WATCHES}=" in found.advice
    monkeypatch.setattr(doctor, "used_up", lambda: inotify_limits.INSTANCES)
    assert f"sudo sysctl {inotify_limits.INSTANCES}=" in doctor._watching(settings, ()).advice
    assert inotify_limits.watches_in_use() >= 0


def test_the_doctor_says_what_does_not_and_what_to_do(person: Person, folder: Path) -> None:
    found = findings(person.run("doctor", folder, "--json", "--model", "nonsense", **WITHOUT_OPENGL))
    assert (found["OpenGL"]["status"], "libgl1-mesa-dri" in found["OpenGL"]["advice"]) == ("broken", True)
    assert (found["image encoder"]["status"], found["text encoder"]["status"]) == ("broken", "broken")
    assert found["library"]["advice"] == f"atlas-rt index {folder} --cache {person.cache}"
    assert not (person.cache / "libraries").exists()  # the doctor only looks

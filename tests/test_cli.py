"""Words on the command line: what they mean, and what is said of those that mean nothing."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from atlas_rt import __version__, cli, parsing, streams
from atlas_rt.commands import index, library, models
from atlas_rt.commands.output import print_json, tell
from atlas_rt.errors import MissingError, UsageError
from tests.commands.person import environment

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, and a cache in which nothing is."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
    monkeypatch.setenv("ATLAS_RT_CACHE", str(tmp_path / "cache"))
    for name in ("ATLAS_RT_DEBUG", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return folder


def refusal(capsys: Capture, *words: str, code: int = 2) -> str:
    """The sentence a command line is refused with."""
    capsys.readouterr()
    assert cli.main(words) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("atlas-rt: ")
    assert "Traceback" not in err
    assert "defect" not in err
    return err.removeprefix("atlas-rt: ").strip()


# -- help ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["-h", "--help", "help"])
def test_the_help_names_every_command_that_is_here_and_no_other(capsys: Capture, word: str) -> None:
    assert cli.main([word]) == 0
    out, err = capsys.readouterr()
    commands = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
    assert commands == list(cli.COMMANDS)
    assert set(commands).isdisjoint({"tour", "live"})
    assert err == ""


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_each_command_tells_its_options(capsys: Capture, command: str) -> None:
    assert cli.main([command, "--help"]) == 0
    out, err = capsys.readouterr()
    common = ("--model", "--cache", "--data", "--offline", "--json", "--quiet", "--seed", "--exclude", "--hidden")
    assert not [option for option in common if option not in out]
    buckets = ("--endpoint-url", "--profile", "--region", "--no-sign-request", "--request-payer", "--originals-gb")
    assert not [option for option in buckets if option not in out]
    assert err == ""


def test_the_version_is_told(capsys: Capture) -> None:
    assert cli.main(["--version"]) == cli.main(["-V"]) == 0
    assert capsys.readouterr().out == f"atlas_rt {__version__}\n" * 2


# -- which command ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "command", "rest"),
    [
        ("", "view", ""),
        ("index pictures", "index", "pictures"),
        ("./pictures", "view", "./pictures"),
        ("pictures.d", "view", "pictures.d"),
        ("~nobody/pictures", "view", "~nobody/pictures"),
        ("s3://bucket/prefix", "view", "s3://bucket/prefix"),
        ("there", "view", "there"),
        ("--json index there", "index", "--json there"),
        ("--cache c --seed 7 index there", "index", "--cache c --seed 7 there"),
        ("--quality low there", "view", "--quality low there"),
        ("--top 3 search there apple", "search", "--top 3 there apple"),
        ("-o x.png shot there", "shot", "-o x.png there"),
        ("--webcam 0 there", "view", "--webcam 0 there"),
        ("--webcam there", "view", "--webcam there"),
        ("-- search", "view", "-- search"),
        ("--demo", "view", "--demo"),
    ],
)
def test_the_first_word_that_is_no_option_chooses(here: Path, words: str, command: str, rest: str) -> None:
    (here / "there").mkdir()
    assert parsing.split_command(words.split()) == (command, rest.split())


def test_a_misspelt_command_is_answered_with_the_right_one(capsys: Capture) -> None:
    said = refusal(capsys, "serch", "there", "apple")
    assert said.startswith("'serch' is neither a command nor a folder or file here; did you mean 'search'?")
    assert "commands: view, index, search, info, neighbors, locate, map, clusters, shot, export, push, import," in said
    assert "did you mean" not in refusal(capsys, "xyzzy")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("tour there -o film.mp4", "tour is not in this version yet"),
        ("bench live", "bench live is not in this version yet"),
    ],
)
def test_what_comes_later_is_said_to_come_later(capsys: Capture, words: str, said: str) -> None:
    assert said in refusal(capsys, *words.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("index . --jsn", "there is no option --jsn; did you mean --json?\ntry: atlas-rt index --help"),
        ("index . --sed=7", "there is no option --sed; did you mean --seed?"),
        ("index . -x", "there is no option -x"),
        ("index . --fullscreen", "there is no option --fullscreen"),
        ("index . --seed", "expected one argument"),
        ("index . --seed x", "--seed must be a whole number, not 'x'"),
        ("index . --seed -1", "--seed must be from 0 to 4,294,967,295, not -1"),
        ("view . --fps -1", "--fps must be from 0 to 1,000, not -1"),
        ("view . --quality ultra", "--quality must be one of auto, low, normal, high, not 'ultra'"),
        ("search . apple --top 0", "'0' is not a number of images; write 1 or more"),
        ("search . apple --top -5", "'-5' is not a number of images"),
        ("neighbors . 1 --top many", "'many' is not a number of images"),
        ("bench frame --nodes 5", "'5' is not a number from 100 to 1,000,000"),
        ("bench", "say what to measure; choose from: frame, start, ingest, search, locate"),
        ("bench nonsense", "bench 'nonsense' is unknown; choose from: frame, start, ingest, search, locate"),
        ("bench start", "name the library whose start to measure"),
        ("models nonsense", "models 'nonsense' is unknown; choose from: list, get NAME, export NAME"),
        ("models list more", "models 'list more' is unknown; choose from: list"),
        ("models get", "models get needs one name"),
        ("models get a b", "models get needs one name"),
        ("models export", "models export needs one name"),
        ("library nonsense", "library 'nonsense' is unknown; choose from: list, forget"),
        ("library list .", "library list shows every library and takes no source"),
        ("library forget", "name the source whose library it is"),
        ("index", "name a folder of images, or --demo"),
        ("neighbors .", "name a source and one of its images"),
        ("info .", "name a source and one of its images"),
        ("locate .", "name the images to place"),
        ("search", "name a source and what to look for"),
        ("search .", "say what to look for"),
        ("search --demo", "say what to look for"),
        ("shot .", "the following arguments are required: -o/--output"),
        ("index --demo .", "--demo is itself the source; leave out either --demo or: ."),
        ("--demo .", "--demo is itself the source"),
        ("search --demo . apple", "--demo is itself the source"),
    ],
)
def test_wrong_words_are_answered_with_the_right_ones(capsys: Capture, words: str, said: str) -> None:
    assert said in refusal(capsys, *words.split())


def test_an_empty_word_is_no_path(capsys: Capture) -> None:
    """As of a variable that is not set: it does not mean the current folder."""
    for words in (("index", ""), ("search", "", "apple"), ("export", ".", "-o", " ")):
        assert "An empty word is no path" in refusal(capsys, *words)


def test_an_unknown_model_is_answered_with_those_that_are_here(capsys: Capture, here: Path) -> None:
    said = refusal(capsys, "search", ".", "apple", "--model", "strter")
    assert said.startswith(
        'No model is called "strter". Did you mean starter? Known: auto, starter, ViT-B-32-laion2b, '
    )


# -- words that begin with a minus sign -------------------------------------------------------------------------------


def given(command: str, *words: str) -> dict[str, Any]:
    """What a command is given, its words parsed."""
    return vars(parsing.parse(command, words))


def test_a_phrase_that_begins_with_a_minus_sign_is_no_option() -> None:
    assert given("search", "there", "-apple")["words"] == ["there", "-apple"]
    assert given("search", "there", "-horse riding", "-o", "-x")["words"] == ["there", "-horse riding", "-o", "-x"]
    assert given("search", "there", "+fruit", "-apple", "--top", "3")["words"] == ["there", "+fruit", "-apple"]
    assert given("search", "there", "--top", "3", "--", "--top")["words"] == ["there", "--top"]
    assert given("search", "there", "--image", "-x.png")["image"] == "-x.png"
    assert given("shot", "there", "-o", "x.png", "--search", "-apple")["search"] == "-apple"


def test_points_and_names_may_begin_with_a_minus_sign() -> None:
    told = given("shot", "there", "--eye", "-1,2,-3", "--look", "-0.5,0,0", "-o", "-x.png")
    assert (told["eye"], told["look"], told["output"]) == ((-1.0, 2.0, -3.0), (-0.5, 0.0, 0.0), "-x.png")
    assert given("index", "--", "-pictures", "--json")["source"] == ["-pictures", "--json"]
    assert given("neighbors", "there", "-5")["words"] == ["there", "-5"]


def test_options_stand_anywhere_between_the_words() -> None:
    told = given("bench", "--nodes", "200", "frame", "--no-update", "there")
    assert (told["what"], told["source"], told["nodes"], told["no_update"]) == ("frame", ["there"], 200, True)


def test_a_path_that_looks_like_an_option_is_answered_with_how_to_name_it(capsys: Capture, here: Path) -> None:
    (here / "-pictures").mkdir()
    assert "there is no option -pictures; name the path as ./-pictures" in refusal(capsys, "index", "-pictures")


# -- how it ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("wrong word"), 2, "atlas-rt: wrong word\n"),
        (MissingError("no camera"), 3, "atlas-rt: no camera\n"),
        (KeyboardInterrupt(), 130, "interrupted; everything found so far is kept\n"),
        (streams.Terminated(), 143, ""),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_each_kind_of_end_has_its_exit_code(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    monkeypatch.setattr(index, "run", raising(error))
    assert cli.main(["index", "."]) == code
    assert capsys.readouterr().err == said


def test_a_defect_is_a_sentence_and_a_traceback_only_when_asked_for(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "run", raising(ZeroDivisionError("by zero")))
    assert cli.main(["index", "."]) == 1
    said = capsys.readouterr().err
    assert said.startswith("atlas-rt: a defect of this program: ZeroDivisionError: by zero\n")
    assert "ATLAS_RT_DEBUG=1" in said
    assert "Traceback" not in said
    monkeypatch.setenv("ATLAS_RT_DEBUG", "1")
    assert cli.main(["index", "."]) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def raising(error: BaseException) -> Any:
    def run(*_: object) -> int:
        raise error

    return run


# -- standard output ---------------------------------------------------------------------------------------------------


def run(*words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "atlas_rt", *words], env=environment(), timeout=30, **options)


def test_a_reader_that_leaves_is_no_error() -> None:
    command = [sys.executable, "-m", "atlas_rt", "--help"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, env=environment(), timeout=30)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to write to")
def test_output_that_cannot_be_written_is_said() -> None:
    with Path("/dev/full").open("wb") as full:
        done = run("models", "list", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 3
    assert done.stderr == b"atlas-rt: the results could not be written (No space left on device)\n"


@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(closed: str) -> None:
    """And their numbers are not given to files, into which libraries of C would print."""
    words = f"{shlex.quote(sys.executable)} -m atlas_rt models list --quiet {closed}; echo $?"
    done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, env=environment(), timeout=30)
    assert done.stdout.splitlines()[-1] == "0"
    assert ("starter" in done.stdout) == (closed == "2>&-")
    assert done.stderr == ""


def test_a_current_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    words = f"mkdir gone && cd gone && rmdir ../gone && {shlex.quote(sys.executable)} -m atlas_rt library list"
    done = subprocess.run(
        ["sh", "-c", words], cwd=tmp_path, capture_output=True, text=True, env=environment(), timeout=30
    )
    assert done.returncode == 2
    assert done.stderr == "atlas-rt: the current folder no longer exists; change to another one first\n"


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_names_that_are_no_text_are_printed_as_the_bytes_they_are(encoding: str) -> None:
    prepared = "import os; from atlas_rt import streams; streams.prepare_streams()"
    code = f"{prepared}; print(os.fsdecode(b'caf\\xe9'), 'ö' in 'ö')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env=environment() | {"PYTHONIOENCODING": encoding},
        timeout=30,
    )
    assert done.stdout == b"caf\xe9 True\n", done.stderr


def test_in_json_a_name_that_is_no_text_comes_back_as_its_bytes(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    print_json({"path": os.fsdecode(b"/caf\xe9/\xc3\xb6")})
    print_json({"path": "/ö"})
    first, second = capsysbinary.readouterr().out.splitlines()
    assert os.fsencode(json.loads(first)["path"]) == b"/caf\xe9/\xc3\xb6"
    assert second == '{"path": "/ö"}'.encode()


def test_a_disk_that_is_full_is_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("builtins.print", refuse)
    with pytest.raises(MissingError, match="could not be written"):
        tell("something")


def test_the_modules_of_the_commands_are_those_in_the_table() -> None:
    folder = Path(models.__file__).parent
    helpers = {"__init__", "collection", "explaining", "import_files", "json_files", "model_removal", "output"}
    helpers |= {"ray_indexing", "shard_folder"}
    named = {command.module or name for name, command in cli.COMMANDS.items()}
    assert {file.stem for file in folder.glob("*.py")} - helpers == named
    assert all(cli.COMMANDS[name] for name in cli.COMMANDS)
    assert callable(library.run)

"""Words become paths, and what is no path of a source is answered in a sentence."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from atlas_rt.errors import UsageError
from atlas_rt.library import sources

Write = Callable[..., Path]


def test_paths_are_absolute_sorted_and_named_once(
    picture: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture("b/1.png")
    picture("a/1.png")
    monkeypatch.chdir(tmp_path / "pictures")
    resolved = sources.resolve(["b", "./a/", str(tmp_path / "pictures/b"), "a/1.png"])
    root = tmp_path / "pictures"
    assert resolved == (str(root / "a"), str(root / "a/1.png"), str(root / "b"))


def test_a_misspelt_folder_is_answered_with_the_right_name(picture: Write, tmp_path: Path) -> None:
    picture("1.png")
    with pytest.raises(UsageError, match=r"no such file or folder \(did you mean .*/pictures\?\): .*/picturs"):
        sources.resolve([str(tmp_path / "picturs")])
    with pytest.raises(UsageError, match=r"did you mean .*/pictures\?"):
        sources.resolve([str(tmp_path / "Picture" / "deeper" / "still")])
    with pytest.raises(UsageError, match=r"no such file or folder: "):
        sources.resolve([str(tmp_path / "qqq")])


def test_what_cannot_be_a_source_is_refused_in_a_sentence(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no picture")
    with pytest.raises(UsageError, match=r"This is no image \(known are avif bmp .*name a folder or an image: .*notes"):
        sources.resolve([str(text)])
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="This is no image"):
        sources.resolve([str(pipe)])
    with pytest.raises(UsageError, match="This is no address in S3"):
        sources.resolve(["s3:///prefix"])


def test_addresses_in_s3_are_sources_as_they_are(tmp_path: Path) -> None:
    odd = ["s3://b-1/a//b", "s3://b-1/../x", "s3://b-1/é ?#%2e", "s3://b-1//lead", "s3://b-1/two//"]
    assert sources.resolve([*odd, odd[0]]) == tuple(sorted(odd))
    assert sources.resolve(["s3://b-1/", "s3://b-1", "s3://b-1/photos/"]) == ("s3://b-1", "s3://b-1/photos")
    for address in odd:
        assert sources.resolve(sources.resolve([address])) == (address,)
    assert sources.resolve([str(tmp_path), "s3://b-1/a"]) == tuple(sorted([str(tmp_path), "s3://b-1/a"]))

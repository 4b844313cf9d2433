"""Which objects of a bucket are images."""

from __future__ import annotations

import pytest

from atlas_rt.core.objects import ListedObject
from atlas_rt.library import object_listing
from atlas_rt.library.object_listing import ListedObjects, ObjectListing
from atlas_rt.library.scanning import Scanner, matcher
from atlas_rt.library.walking import FoundFile


def objects(*keys: str) -> list[ListedObject]:
    return [ListedObject(key, 10, f"etag of {key}", 5) for key in keys]


def listed(*keys: str, source: str = "s3://bk", exclude: tuple[str, ...] = (), hidden: bool = False) -> ListedObjects:
    listing = ObjectListing(source, matcher(exclude), {}, hidden=hidden)
    listing.take(objects(*sorted(keys)))
    return listing.so_far(whole=True)


def keys_of(found: ListedObjects) -> list[str]:
    return [file.path.removeprefix("s3://bk/") for file in found.files]


def test_folders_hidden_and_excluded_keys_are_left_out() -> None:
    keys = (
        "a/",
        "a/1.jpg",
        "a/.hidden/2.jpg",
        "@eaDir/3.jpg",
        ".thumbnails/4.jpg",
        "skip/5.jpg",
        "skip/deep/6.jpg",
        "a/notes.txt",
        "a/no.gif",
        "../7.jpg",
        "x//8.jpg",
    )
    found = listed(*keys, exclude=("skip", "*.gif"))
    assert keys_of(found) == ["../7.jpg", "a/1.jpg", "x//8.jpg"]
    assert found.skipped == 5  # three that are hidden, one that is excluded, one that is no image
    assert keys_of(listed(*keys, hidden=True)) == [
        "../7.jpg",
        "a/.hidden/2.jpg",
        "a/1.jpg",
        "a/no.gif",
        "skip/5.jpg",
        "skip/deep/6.jpg",
        "x//8.jpg",
    ]


def test_the_names_of_a_source_itself_are_no_reason_to_leave_out() -> None:
    assert keys_of(listed(".trash/1.jpg", source="s3://bk/.trash")) == [".trash/1.jpg"]
    assert keys_of(listed("a/1.jpg", source="s3://bk/a/1.jpg")) == ["a/1.jpg"]
    assert keys_of(listed("a//1.jpg", source="s3://bk/a//")) == ["a//1.jpg"]


def test_a_raw_file_waits_for_the_end_of_the_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_listing, "readable_suffixes", lambda: frozenset([".jpg", ".nef"]))
    listing = ObjectListing("s3://bk", matcher(()), {}, hidden=False)
    listing.take(objects("1.NEF", "2.NEF"))
    assert not listing.so_far(whole=False).files
    listing.take(objects("2.jpg", "2.xmp"))
    found = listing.so_far(whole=True)
    assert keys_of(found) == ["1.NEF", "2.jpg"]
    assert found.sidecars == {"s3://bk/2.xmp": 5}


def test_what_did_not_change_is_the_same_object_as_before() -> None:
    before = {file.path: file for file in listed("1.jpg", "2.jpg").files}
    listing = ObjectListing("s3://bk", matcher(()), before, hidden=False)
    listing.take([*objects("1.jpg"), ListedObject("2.jpg", 10, "another", 5)])
    first, second = listing.so_far(whole=True).files
    assert first is before["s3://bk/1.jpg"]
    assert second == FoundFile("s3://bk/2.jpg", 10, 5, "another")


def test_a_scan_joins_what_is_listed_with_what_lies_in_folders(tmp_path: object) -> None:
    found = Scanner().scan(
        [str(tmp_path), "s3://bk", "s3://ck", "s3://dk", "s3://e.jpg", "s3://fk/gone.jpg"],
        listed={
            "s3://bk": listed("1.jpg"),
            "s3://ck": ListedObjects(),
            "s3://dk": ListedObjects(state="missing", reason="There is no bucket"),
            "s3://e.jpg": ListedObjects(whole=True),
            "s3://fk/gone.jpg": ListedObjects(whole=True),
        },
    )
    assert [file.path for file in found.files] == ["s3://bk/1.jpg"]
    assert found.unlisted == {"s3://ck"}
    assert found.states == {"s3://dk": "missing", "s3://fk/gone.jpg": "missing"}  # a single object cannot be empty
    assert [failure.reason for failure in found.unreadable] == ["There is no bucket"]
    assert found.empty == {str(tmp_path), "s3://e.jpg"}

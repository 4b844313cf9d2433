"""What an engine makes of a folder, round by round, on real files."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.core.images import Failure
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.engine.crash_log import SLOTS
from atlas_rt.engine.engine import Engine
from atlas_rt.engine.messages import Job, Provider, Published, Refused
from atlas_rt.engine.pipeline import BATCH
from atlas_rt.library import maps
from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.store import StoreReader
from tests import towers
from tests.libraries import (
    PICTURES,
    Library,
    copy_pictures,
    id_at,
    index,
    job_of,
    latest_map,
    listing,
    place_row,
    run,
    same_bits,
)

MakeJob = Callable[..., Job]
STAGES = {"scan", "decode", "encode", "store", "fit", "total"}


def counts(report: IndexReport) -> dict[str, int]:
    """The counts of a report that are not 0."""
    names = ("images", "new", "unchanged", "changed", "removed", "away", "skipped")
    found = {name: getattr(report, name) for name in names} | {"failed": len(report.failed)}
    return {name: count for name, count in found.items() if count}


def worked(report: IndexReport) -> bool:
    """Whether anything was decoded or encoded."""
    return report.seconds["decode"] > 0.0 or report.seconds["encode"] > 0.0


# A whole first run


def test_a_first_run_tells_what_it_did_and_how_long_each_stage_took(indexed: Library) -> None:
    report = indexed.report
    assert counts(report) == {"images": 138, "new": 138, "skipped": 1}
    assert report.model == "starter"
    assert report.generation == indexed.map.generation
    assert set(report.seconds) == STAGES
    assert all(secs > 0.0 for secs in report.seconds.values())
    assert report.seconds["total"] > report.seconds["fit"] + report.seconds["scan"]
    assert 1.0 < report.images_per_second < 10_000.0


def test_it_tells_how_far_it_is_and_what_runs_the_encoder(indexed: Library) -> None:
    stages = [message for message in indexed.told if isinstance(message, Progress)]
    seen = dict.fromkeys(each.stage for each in stages)
    assert [stage for stage in seen if stage != "label"] == ["scan", "index", "fit"]  # words may come in time
    steps = [each for each in stages if each.stage == "index"]
    assert [each.done for each in steps] == sorted({each.done for each in steps})
    assert all(0 < each.done <= each.total == 138 and each.rate > 0.0 for each in steps)
    (provider,) = [message for message in indexed.told if isinstance(message, Provider)]
    assert (provider.model, provider.provider) == ("starter", "CPU")
    published = [message.generation for message in indexed.told if isinstance(message, Published)]
    assert published == list(range(1, indexed.report.generation + 1))


def test_the_source_is_never_written_to(indexed: Library) -> None:
    assert listing(indexed.source) == indexed.before


def test_every_image_has_a_place_a_vector_tiles_and_labels(indexed: Library) -> None:
    with StoreReader.open(indexed.place.folder) as store:
        catalogue = store.catalogue(indexed.model.id)
        rows = store.vector_rows(indexed.model.id, catalogue.ids)
        labels = [store.labels(int(id_), indexed.model.id) for id_ in catalogue.ids]
    assert list(catalogue.paths) == sorted(str(path) for path in indexed.source.glob("*.webp"))
    assert same_bits(indexed.map.ids, catalogue.ids)
    assert same_bits(indexed.map.rows, rows)
    assert sorted(rows) == sorted(catalogue.tiles) == list(range(138))
    assert np.isfinite(indexed.map.positions).all()
    assert all(len(words) == 5 for words in labels)


# Later runs


def test_a_second_run_decodes_and_encodes_nothing(make_job: MakeJob) -> None:
    first = index(make_job())
    told = run(make_job())
    assert isinstance(told[-1], IndexReport)
    assert counts(told[-1]) == {"images": 9, "unchanged": 9}
    assert told[-1].generation == first.generation == 1
    assert not worked(told[-1])
    assert told[-1].images_per_second == 0.0
    assert not [message for message in told if isinstance(message, Provider | Published)]


def test_files_that_changed_came_or_went_are_told_apart(make_job: MakeJob, folder: Path) -> None:
    index(make_job(fit=False))
    names = sorted(path.name for path in folder.iterdir())
    shutil.copy(PICTURES[100], folder / names[0])
    (folder / names[1]).unlink()
    shutil.copy(PICTURES[101], folder / "another.webp")
    (folder / "letter.txt").write_text("not to be read")
    report = index(make_job(fit=False))
    assert counts(report) == {"images": 9, "new": 1, "changed": 1, "away": 1, "unchanged": 7, "skipped": 1}


def test_a_touched_file_is_neither_changed_nor_encoded_again(make_job: MakeJob, folder: Path) -> None:
    index(make_job(fit=False))
    for path in folder.iterdir():
        os.utime(path)
    report = index(make_job(fit=False))
    assert counts(report) == {"images": 9, "unchanged": 9}
    assert report.seconds["encode"] < 0.01  # nine images take a tenth of a second


def test_a_renamed_file_keeps_its_place_and_is_not_encoded_again(make_job: MakeJob, folder: Path) -> None:
    index(make_job())
    job = make_job()
    before = latest_map(job.place)
    old = folder / PICTURES[0].name
    id_ = id_at(job.place, old)
    assert id_ is not None
    (folder / "deeper").mkdir()
    old.rename(folder / "deeper" / "renamed.webp")
    told = run(job)
    assert isinstance(told[-1], IndexReport)
    assert counts(told[-1]) == {"images": 9, "unchanged": 9}  # nothing is gone, so nothing counts as removed
    assert told[-1].seconds["encode"] < 0.01
    assert id_at(job.place, folder / "deeper" / "renamed.webp") == id_
    assert same_bits(latest_map(job.place).positions, before.positions)
    assert [message for message in told if isinstance(message, Published)]  # a window must learn the new path


def test_a_whole_folder_that_moved_keeps_its_map(indexed: Library, tmp_path: Path) -> None:
    """Its images come back batch by batch, with maps in between: none may lose its place, and no fit is due."""
    moved = copy_pictures(sorted(indexed.source.iterdir()), tmp_path / "elsewhere" / "moved")
    library = indexed.copy(tmp_path / "cache")
    (library.place.folder / "sources.json").unlink()
    place = place_of((str(moved),), library.cache)
    shutil.rmtree(place.folder)
    library.place.folder.rename(place.folder)
    report = index(job_of(place, library.cache, stay=True))
    assert counts(report) == {"images": 138, "unchanged": 138, "skipped": 1}
    assert report.seconds["fit"] == 0.0
    after = latest_map(place)
    assert same_bits(after.ids, indexed.map.ids)
    assert same_bits(after.positions, indexed.map.positions)
    assert same_bits(after.edges, indexed.map.edges)
    assert after.cluster_records == indexed.map.cluster_records


def test_a_damaged_map_is_made_again(make_job: MakeJob) -> None:
    index(make_job())
    before = latest_map(make_job().place)
    (file,) = make_job().place.folder.glob("starter-*/map-1/positions.npy")
    file.write_bytes(bytes(file.stat().st_size))
    assert index(make_job()).generation == 2
    assert same_bits(latest_map(make_job().place).positions, before.positions)


# What is read and what is not


def test_one_good_picture_among_twenty_broken_ones_is_shown(cache: Path, tmp_path: Path) -> None:
    folder = copy_pictures([PICTURES[0]], tmp_path / "mixed")
    whole = PICTURES[1].read_bytes()
    for i in range(5):
        (folder / f"empty-{i}.png").touch()
        (folder / f"cut-{i}.webp").write_bytes(whole[: 100 + 40 * i])
        (folder / f"text-{i}.jpg").write_text("a letter, not a picture " * i + "!")
        (folder / f"noise-{i}.tif").write_bytes(os.urandom(500))
    before = listing(folder)
    first = index(job_of(folder, cache))
    assert counts(first) == {"images": 1, "new": 1, "failed": 20}
    broken = sorted(str(path) for path in folder.iterdir() if path.name != PICTURES[0].name)
    assert [failure.path for failure in first.failed] == broken
    assert {failure.reason for failure in first.failed} <= {
        "the file is empty",
        "the file is cut short",
        "the picture data is damaged",
        "it is not a picture in a known format",
    }
    map_ = latest_map(place_of((str(folder),), cache))
    assert map_.positions.shape == (1, 3)
    told = run(job_of(folder, cache))
    assert isinstance(told[-1], IndexReport)
    assert told[-1].failed == first.failed  # still told, though nobody looks at them again
    assert not worked(told[-1])
    assert not [message for message in told if isinstance(message, Failure)]
    assert listing(folder) == before


def test_each_failure_is_told_when_it_is_met(make_job: MakeJob, folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing more")
    told = run(make_job(fit=False))
    (failure,) = [message for message in told if isinstance(message, Failure)]
    assert failure.path == str(folder / "broken.png")
    assert isinstance(told[-1], IndexReport)
    assert told[-1].failed == (failure,)


@pytest.mark.parametrize("through", ["Sqrt", "Relu"])
def test_an_image_whose_vector_is_no_number_or_nothing_is_recorded_as_failed_and_never_in_the_map(
    tmp_path: Path, through: str
) -> None:
    """The encoder takes the root of what is darker than grey, or sees none of it."""
    folder, cache = tmp_path / "pictures", tmp_path / "cache"
    folder.mkdir()
    for number in range(6):
        Image.new("RGB", (8, 8), (140 + 20 * number, 200, 250 - 10 * number)).save(folder / f"light{number}.png")
        Image.new("RGB", (8, 8), (20 * number, 10, 20)).save(folder / f"dark{number}.png")
    towers.write_model(cache / "models" / "odd", "odd", through=through)
    job = job_of(folder, cache, model="odd")
    report = index(job)
    assert (report.images, report.new) == (6, 6)
    assert {Path(each.path).name: each.reason for each in report.failed} == {
        f"dark{number}.png": "the encoder gave no vector" for number in range(6)
    }
    (model_folder,) = job.place.folder.glob("odd-*")
    map_ = maps.read_latest(model_folder)
    assert map_ is not None
    assert len(map_.ids) == 6
    assert np.isfinite(map_.positions).all()
    again = index(job)
    assert (again.images, again.seconds["encode"], len(again.failed)) == (6, 0.0, 6)


def test_hidden_files_and_the_thumbnails_of_others_are_left_out(make_job: MakeJob, folder: Path) -> None:
    for other in (".thumbnails", "@eaDir", ".hidden", "shown"):
        (folder / other).mkdir()
        shutil.copy(PICTURES[50], folder / other / "picture.webp")
    shutil.copy(PICTURES[51], folder / ".secret.webp")
    report = index(make_job(fit=False))
    assert counts(report) == {"images": 10, "new": 10, "skipped": 4}
    with StoreReader.open(make_job().place.folder) as store:
        assert str(folder / "shown" / "picture.webp") in store.catalogue().paths


def test_an_empty_folder_has_an_empty_map(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    job = job_of(tmp_path / "nothing", cache)
    report = index(job)
    assert (counts(report), report.source_state) == ({}, "empty")
    assert latest_map(job.place).positions.shape == (0, 3)


def test_all_images_may_go(make_job: MakeJob, folder: Path) -> None:
    """And something else stays: a folder that is wholly empty may be a drive that is not plugged in."""
    index(make_job())
    for path in folder.iterdir():
        path.unlink()
    (folder / "letter.txt").write_text("not to be read")
    report = index(make_job())
    assert counts(report) == {"away": 9, "skipped": 1}
    assert report.source_state == "present"


def test_a_folder_that_cannot_be_reached_loses_nothing(make_job: MakeJob, folder: Path) -> None:
    index(make_job(fit=False))
    folder.rename(folder.with_name("unplugged"))
    report = index(make_job(fit=False))
    assert counts(report) == {"images": 9, "away": 9, "failed": 1}
    assert report.source_state == "missing"
    assert [(failure.path, failure.reason) for failure in report.failed] == [(str(folder), "it is no longer there")]


def test_an_unknown_model_is_refused_with_the_known_ones(make_job: MakeJob) -> None:
    told = run(make_job(model="startr"))
    assert isinstance(told[-1], Refused)
    assert told[-1].exit_code == 2
    assert "Did you mean starter?" in told[-1].text


# Nothing depends on timing


def test_the_number_of_threads_changes_no_bit(indexed: Library, cache: Path) -> None:
    job = job_of(indexed.source, cache, threads=7, fit=False)
    assert index(job).new == 138
    for name in (f"{indexed.model.id}/vectors.f16", "tiles-32.bin", "tiles-128.bin"):
        assert (job.place.folder / name).read_bytes() == (indexed.place.folder / name).read_bytes()
    with (
        StoreReader.open(job.place.folder) as mine,
        StoreReader.open(indexed.place.folder) as theirs,
    ):
        assert mine.catalogue().paths == theirs.catalogue().paths


def test_each_thread_has_a_slot_for_the_file_in_its_hands(make_job: MakeJob) -> None:
    """Also on a machine with more cores than there are slots."""
    ours, theirs = multiprocessing.Pipe()
    engine = Engine(make_job(threads=SLOTS + 36), theirs)
    assert engine._threads == SLOTS
    ours.close()
    theirs.close()


def test_two_copies_stand_side_by_side(make_job: MakeJob, folder: Path) -> None:
    shutil.copy(PICTURES[0], folder / "copy.webp")
    (folder / PICTURES[8].name).unlink()
    assert counts(index(make_job())) == {"images": 9, "new": 9}
    job = make_job()
    one, other = id_at(job.place, folder / PICTURES[0].name), id_at(job.place, folder / "copy.webp")
    assert one is not None
    assert other is not None
    apart = np.linalg.norm(place_row(latest_map(job.place), one) - place_row(latest_map(job.place), other))
    assert 0.0 < apart < 0.1


def test_files_that_are_all_renumbered_are_known_by_what_they_hold_now(cache: Path, tmp_path: Path) -> None:
    """More of them than a batch: the first ones give away the content of those that follow."""
    folder = copy_pictures(PICTURES[: BATCH + 4], tmp_path / "numbered")
    job = job_of(folder, cache, fit=False)
    index(job)
    names = sorted(path.name for path in folder.iterdir())
    for name in names:
        (folder / name).rename(folder / f"{name}.old")
    for name, after in zip(names, [*names[1:], names[0]], strict=True):
        (folder / f"{name}.old").rename(folder / after)
    assert counts(index(job)) == {"images": len(names), "changed": len(names)}
    for name in names:
        id_ = id_at(job.place, folder / name)
        assert id_ is not None
        with StoreReader.open(job.place.folder) as store:
            assert set(store.content_hashes([id_])) == {content_hash((folder / name).read_bytes())}

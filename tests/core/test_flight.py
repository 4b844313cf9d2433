"""The fly camera: what a person feels at the keys."""

from __future__ import annotations

import math

import numpy as np
import pytest

from atlas_rt.core.camera import basis
from atlas_rt.core.flight import FlyCamera, between, shortest_turn
from atlas_rt.core.scene import Pose

START = Pose((0.0, 0.0, 2.0), 0.0, 0.0)


def fly(camera: FlyCamera, held: set[str], *, secs: float, fps: int = 60) -> None:
    for _ in range(round(secs * fps)):
        camera.advance(1.0 / fps, held)


@pytest.mark.parametrize(
    ("held", "axis", "sign"),
    [("forward", 2, -1), ("back", 2, 1), ("left", 0, -1), ("right", 0, 1), ("up", 1, 1), ("down", 1, -1)],
)
def test_a_held_key_flies_its_way(held: str, axis: int, sign: int) -> None:
    camera = FlyCamera(START)
    fly(camera, {held}, secs=1.0)
    moved = np.array(camera.pose.eye) - START.eye
    assert moved[axis] * sign > 0.3
    assert np.abs(np.delete(moved, axis)).max() < 1e-5


def test_motion_eases_in_and_out_and_ends() -> None:
    camera = FlyCamera(START)
    camera.advance(1 / 60, {"forward"})
    first = START.eye[2] - camera.pose.eye[2]
    assert 0 < first < camera.speed / 60  # not at full speed at once
    fly(camera, {"forward"}, secs=1.0)
    fly(camera, set(), secs=2.0)
    assert not camera.moving


def test_flying_feels_the_same_at_any_frame_rate() -> None:
    slow, fast = FlyCamera(START), FlyCamera(START)
    fly(slow, {"forward", "right"}, secs=1.0, fps=30)
    fly(fast, {"forward", "right"}, secs=1.0, fps=240)
    assert np.allclose(slow.pose.eye, fast.pose.eye, atol=0.03)


def test_shift_is_faster_and_the_wheel_changes_the_speed() -> None:
    plain, shifted, wheeled = FlyCamera(START), FlyCamera(START), FlyCamera(START)
    wheeled.change_speed(5)
    fly(plain, {"forward"}, secs=1.0)
    fly(shifted, {"forward", "faster"}, secs=1.0)
    fly(wheeled, {"forward"}, secs=1.0)
    assert START.eye[2] - shifted.pose.eye[2] > 3 * (START.eye[2] - plain.pose.eye[2])
    assert START.eye[2] - wheeled.pose.eye[2] > 2 * (START.eye[2] - plain.pose.eye[2])


def test_looking_never_turns_over() -> None:
    camera = FlyCamera(START)
    camera.look(0.0, 10.0)
    fly(camera, set(), secs=1.0)
    assert camera.pose.pitch < math.pi / 2


def test_orbit_keeps_the_distance_and_the_place_on_screen() -> None:
    camera = FlyCamera(START)
    pivot = np.array([0.3, 0.1, 0.0], np.float32)
    before = np.stack(basis(camera.pose)) @ (pivot - np.array(camera.pose.eye))
    camera.orbit(pivot, 0.7, 0.3)
    after = np.stack(basis(camera.pose)) @ (pivot - np.array(camera.pose.eye))
    assert np.allclose(before, after, atol=1e-5)
    assert not np.allclose(camera.pose.eye, START.eye, atol=0.1)


def test_a_flight_arrives_exactly_and_a_key_takes_over() -> None:
    target = Pose((1.0, 0.5, 0.0), 1.0, 0.2)
    camera = FlyCamera(START)
    camera.fly_to(target)
    fly(camera, set(), secs=3.0)
    assert camera.pose == target
    camera.fly_to(START)
    fly(camera, set(), secs=0.2)
    camera.advance(1 / 60, {"back"})
    assert not camera.flying


def test_back_and_forward_visit_the_same_places() -> None:
    there = Pose((1.0, 0.0, 0.0), 0.5, 0.0)
    camera = FlyCamera(START, reduced_motion=True)
    camera.fly_to(there)
    assert camera.step_back()
    assert camera.pose == START
    assert camera.step_forward()
    assert camera.pose == there
    assert not camera.step_forward()


def test_reduced_motion_jumps() -> None:
    camera = FlyCamera(START, reduced_motion=True)
    target = Pose((1.0, 0.0, 0.0), 0.0, 0.0)
    camera.fly_to(target)
    assert camera.pose == target


def test_turns_go_the_short_way_round() -> None:
    assert shortest_turn(math.radians(170), math.radians(-170)) == pytest.approx(math.radians(20))
    half = between(Pose((0, 0, 0), math.radians(170), 0), Pose((0, 0, 0), math.radians(-170), 0), 0.5)
    assert math.cos(half.yaw) == pytest.approx(-1.0)

"""A scene to measure on, the same each time: clusters of cards with coloured tiles, joined to their neighbours."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.core.images import SMALL_TILE_PX
from atlas_rt.core.maps import Cluster
from atlas_rt.core.palette import cluster_hues, node_hues
from atlas_rt.core.scene import Pose, Scene
from atlas_rt.mapping.neighbours import nearest
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.workers.scenes import NODE_SIZE_SHARE, Arrival, node_size

CLUSTERS = 24
KINDS = 60
EDGES = 5
SEED = 20261122


def made_arrival(nodes: int) -> Arrival:
    """A scene of so many images with their tiles."""
    rng = np.random.default_rng(SEED)
    clusters = rng.integers(0, CLUSTERS, nodes).astype(np.int32)
    middles = rng.normal(size=(CLUSTERS, 3)) * 0.42
    positions = (middles[clusters] + rng.normal(size=(nodes, 3)) * 0.09).astype(np.float32)
    records = tuple(_cluster(i, positions[clusters == i]) for i in range(CLUSTERS) if (clusters == i).any())
    centres = np.array([record.centre for record in records], np.float32)
    edges, weights = _edges(positions)
    mean_rgb = rng.integers(40, 230, (nodes, 3)).astype(np.uint8)
    scene = Scene(
        ids=np.arange(1, nodes + 1, dtype=np.int64),
        paths=tuple(f"made/{i}.png" for i in range(nodes)),
        positions=positions,
        aspects=rng.choice(np.array([0.75, 1.0, 1.333], np.float32), nodes),
        mean_rgb=mean_rgb,
        hues=node_hues(positions, clusters, centres),
        tiles=np.arange(nodes, dtype=np.int32),
        sizes_px=np.full((nodes, 2), 640, np.int32),
        clusters=clusters,
        edges=edges,
        weights=weights,
        cluster_records=records,
        cluster_hues=cluster_hues(centres),
        node_size=node_size(positions),
        generation=1,
        kind="umap",
        model="made",
    )
    shades = np.linspace(0.6, 1.3, SMALL_TILE_PX)[None, :, None, None]
    pixels = np.clip(mean_rgb[:, None, None, :] * shades, 0, 255).astype(np.uint8)
    pixels = np.broadcast_to(pixels, (nodes, SMALL_TILE_PX, SMALL_TILE_PX, 3))
    vector_index = VectorIndex(np.zeros((nodes, 1), np.float32))
    return Arrival(scene, vector_index, scene.tiles, np.ascontiguousarray(pixels), ())


def enlarged(arrival: Arrival, nodes: int) -> Arrival:
    """A scene of so many images from a real one: copies of its images, each moved by the median distance to the nearest
    neighbour in a direction of its own, joined to their five nearest. A larger scene is cut."""
    scene = arrival.scene
    rows = np.resize(np.arange(len(scene.ids)), nodes)
    rng = np.random.default_rng(SEED)
    jitter = rng.normal(size=(nodes, 3))
    jitter *= node_size(scene.positions) / NODE_SIZE_SHARE / np.linalg.norm(jitter, axis=1, keepdims=True)
    jitter[: len(scene.ids)] = 0.0
    positions = (scene.positions[rows] + jitter).astype(np.float32)
    edges, weights = _edges(positions)
    grown = replace(
        scene,
        ids=np.arange(1, nodes + 1, dtype=np.int64),
        paths=tuple(scene.paths[row] for row in rows.tolist()),
        positions=positions,
        aspects=scene.aspects[rows],
        mean_rgb=scene.mean_rgb[rows],
        hues=scene.hues[rows],
        tiles=scene.tiles[rows],
        sizes_px=scene.sizes_px[rows],
        clusters=scene.clusters[rows],
        edges=edges,
        weights=weights,
        node_size=node_size(positions),
        stacks=None,
        away=None,
        subclusters=np.zeros(0, np.int32),
        subcluster_records=(),
    )
    return Arrival(grown, VectorIndex(np.zeros((nodes, 1), np.float32)), arrival.tiles, arrival.pixels, ())


def made_vectors(images: int, dim: int, *, seed: int = SEED) -> Floats:
    """(images, dim) unit vectors in clusters, as an encoder's are."""
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((KINDS, dim), np.float32)
    vectors = rng.standard_normal((images, dim), np.float32)
    vectors *= np.float32(0.8)
    vectors += middles[rng.integers(0, KINDS, images)]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def vectors_of_places(positions: Floats) -> Floats:
    """(n, 4) unit vectors that are the more alike the closer two places are: on a sphere, by stereographic
    projection."""
    squares = (positions**2).sum(axis=1, keepdims=True)
    vectors: Floats = np.concatenate([2.0 * positions, 1.0 - squares], axis=1) / (1.0 + squares)
    return vectors.astype(np.float32)


def radius(positions: Floats) -> float:
    """The 95th percentile of the distance from the origin: the R of the camera paths."""
    return float(np.percentile(np.linalg.norm(positions, axis=1), 95.0))


def orbit(t: float, reach: float) -> Pose:
    """Around the cloud, looking at its middle; t 0..1, reach as `radius`."""
    angle = 2.0 * math.pi * t
    eye = (1.8 * reach * math.cos(angle), 0.45 * reach, 1.8 * reach * math.sin(angle))
    yaw = math.atan2(-eye[0], eye[2])
    return Pose(eye, yaw, -math.atan2(eye[1], 1.8 * reach))


def dive(t: float, reach: float) -> Pose:
    """Straight through the cloud along -z."""
    return Pose((0.0, 0.0, reach * (1.8 - 2.0 * t)), 0.0, 0.0)


PATHS = {"orbit": orbit, "dive": dive}


def _cluster(number: int, positions: Floats) -> Cluster:
    x, y, z = positions.mean(axis=0).tolist()
    return Cluster(number, f"group {number + 1}", "", "exemplar", len(positions), (), (), (x, y, z))


def _edges(positions: Floats) -> tuple[Ints, Floats]:
    """Five nearest by place: unit vectors of which the inner product falls with the distance."""
    lifted = np.column_stack([positions, np.ones(len(positions)), -0.5 * (positions**2).sum(axis=1)])
    queries = np.column_stack([positions, -0.5 * (positions**2).sum(axis=1), np.ones(len(positions))])
    _, rows = nearest(lifted.astype(np.float32), queries.astype(np.float32), EDGES + 1)
    starts = np.repeat(np.arange(len(positions), dtype=np.int32), rows.shape[1])
    ends = rows.ravel()
    pairs = np.stack([starts, ends], axis=1)[starts != ends]
    lengths = np.linalg.norm(positions[pairs[:, 0]] - positions[pairs[:, 1]], axis=1)
    order = np.argsort(lengths, kind="stable")
    weights = np.exp(-4.0 * lengths[order]).astype(np.float32)
    return pairs[order].astype(np.int32), weights

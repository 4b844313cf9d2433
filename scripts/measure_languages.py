"""How well a model finds pictures by words of other languages: by what is typed alone, by its translation, and by the
better of both, as the program does.

Names: gcompris' activity `lang` has names of a hundred drawings in many languages. Recall at 10: the share of names
whose drawing is among the ten of them that score best. Colours: of one picture in two hues, whether the one that the
bare word names scores higher. English: the development sets, asked in English where the locale is another.
None of it was trained on. Called by `scripts/measure-languages`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from calibrate import GCOMPRIS, SCRATCH, Captioned, Encoder, captioned
from debian_packages import PackageError, default_folder, fetch
from qt_resources import ResourceError, read_resources
from train_starter.report import HUES, hue_pairs, recall

from atlas_rt.core.arrays import Floats
from atlas_rt.encoders import registry
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.registry import Calibration, Model
from atlas_rt.errors import AtlasError
from atlas_rt.library.cache_layout import cache_folder
from atlas_rt.search.dictionary import ENGLISH, code_of
from atlas_rt.search.match_strength import Background, Judge, QueryVector, load_background
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.workers.searcher import Searcher

LANGUAGES = ("de", "fr", "es", "it", "ru", "pl", "nl", "pt", "zh_CN", "ar", "ro")
OTHERS = ("cs", "sv", "tr", "fi", "hu", "el", "uk")
"""Of the second, Turkish alone is one that the starter's encoder was made for."""
LOCALES = ("de", "fr", "es", "ja", "ru", "zh", "ar", "tr")
COLOURS = {
    "en": "red orange yellow green blue purple pink",
    "de": "rot orange gelb grün blau lila rosa",
    "fr": "rouge orange jaune vert bleu violet rose",
    "es": "rojo naranja amarillo verde azul morado rosa",
    "ja": "赤 オレンジ色 黄色 緑 青 紫 ピンク",
    "ru": "красный оранжевый жёлтый зелёный синий фиолетовый розовый",
}
"""In the order of report.HUES."""
RANK = 2
"""Of recall at 1, 5 and 10 the last."""


class Pictures:
    """Pictures that are asked for. vectors: (n, dim)."""

    def __init__(self, vectors: Floats, background: Background, calibration: Calibration) -> None:
        self.vectors = vectors
        self._judge = Judge(VectorIndex(vectors), background, calibration)

    def fits(self, queries: Sequence[QueryVector], vectors: Floats | None = None) -> Floats:
        """(n,), the higher the better: of several readings the one that fits an image better by its own measure.

        vectors: others, judged as if they were among these.
        """
        vectors = self.vectors if vectors is None else vectors
        best: Floats = np.max([self._judge.evidence(each, vectors @ each.vector) for each in queries], axis=0)
        return best


def names(rcc: Path) -> dict[str, dict[str, str]]:
    """Language -> file of the drawing without its ending -> name. Raises OSError, ResourceError."""
    found: dict[str, dict[str, str]] = {}
    for name, content in read_resources(rcc / "lang.rcc"):
        stem = Path(name).stem
        if stem.startswith("content-") and name.endswith(".json"):
            said: dict[str, str] = json.loads(content)
            found[stem.removeprefix("content-")] = {Path(file).stem: word for file, word in said.items() if word}
    return found


def named(drawings: list[Captioned], called: dict[str, str]) -> tuple[dict[str, list[int]], list[int]]:
    """Name -> places among the drawings that have one, and those drawings."""
    rows = [row for row, each in enumerate(drawings) if "words_sample/" in each.file and Path(each.file).stem in called]
    found: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        found.setdefault(called[Path(drawings[row].file).stem], []).append(place)
    return found, rows


class Measure:
    """Asks pictures in many languages."""

    def __init__(self, model: Model, cache: Path | None) -> None:
        text = TextEncoder(model)
        self._searcher, self._calibration = Searcher(model, text), model.calibration
        self._background = load_background(model, text, cache)

    def pictures(self, vectors: Floats) -> Pictures:
        return Pictures(vectors, self._background, self._calibration)

    def readings(self, phrase: str, language: str, which: str) -> tuple[QueryVector, ...]:
        """which: "typed", "translated" (as typed where the dictionary knows nothing of it) or "both", as the program
        reads it."""
        every = self._searcher.readings_of(phrase, ENGLISH if which == "typed" else code_of(language))
        return every[-1:] if which == "translated" else every

    def recall(self, right: dict[str, list[int]], pictures: Pictures, language: str, which: str) -> float:
        """Percent of phrases with a right picture within rank 10. right: phrase -> places."""
        fits = [pictures.fits(self.readings(phrase, language, which)) for phrase in right]
        return recall(np.stack(fits), list(right.values()))[0][RANK]


def names_table(
    drawings: list[Captioned], vectors: Floats, called: dict[str, dict[str, str]], measure: Measure
) -> Iterator[str]:
    yield "| language | names | as typed | translated | the better of both |"
    yield "| --- | --- | --- | --- | --- |"
    for title, languages in (("", ("en",)), ("mean of 11", LANGUAGES), ("mean of 7 others", OTHERS)):
        every = []
        for language in languages:
            right, rows = named(drawings, called[language])
            pictures = measure.pictures(vectors[rows])
            shares = [measure.recall(right, pictures, language, which) for which in ("typed", "translated", "both")]
            every.append(shares)
            yield f"| {language} | {len(right)} | " + " | ".join(f"{each:.0f}" for each in shares) + " |"
        if title:
            yield f"| **{title}** | | " + " | ".join(f"**{each:.1f}**" for each in np.mean(every, axis=0)) + " |"


def colours_table(sets: dict[str, tuple[list[Captioned], Floats]], model: Model, measure: Measure) -> Iterator[str]:
    """Each pair is judged among all the pictures."""
    pairs = list(hue_pairs([each for pictures, _ in sets.values() for each in pictures], model, seed=0))
    every = measure.pictures(np.concatenate([vectors for _, vectors in sets.values()]))
    yield f"| language | of {len(pairs)} pairs: as typed | the better of both |"
    yield "| --- | --- | --- |"
    for language, words in COLOURS.items():
        asked = dict(zip(HUES, words.split(), strict=True))
        shares = []
        for which in ("typed", "both"):
            queries = {colour: measure.readings(word, language, which) for colour, word in asked.items()}
            won = [np.argmax(every.fits(queries[pair.hues[0]], pair.vectors)) == 0 for pair in pairs]
            shares.append(100 * np.mean(won))
        yield f"| {language} | " + " | ".join(f"{each:.0f} %" for each in shares) + " |"


def english_table(sets: dict[str, tuple[list[Captioned], Floats]], measure: Measure) -> Iterator[str]:
    """Recall at 10 of English captions, by locale: the dictionary reads what it takes for words of that language."""
    yield "| locale | " + " | ".join(sets) + " |"
    yield "| --- |" + " --- |" * len(sets)
    for locale in ("en", *LOCALES):
        shares = []
        for pictures, vectors in sets.values():
            right: dict[str, list[int]] = {}
            for row, picture in enumerate(pictures):
                right.setdefault(picture.caption, []).append(row)
            shares.append(measure.recall(right, measure.pictures(vectors), locale, "both"))
        yield f"| {locale} | " + " | ".join(f"{each:.1f}" for each in shares) + " |"


def measured(model: Model, packages: Path, cache: Path | None) -> str:
    """The tables. Raises PackageError, ResourceError, OSError, AtlasError."""
    image, measure = Encoder(model), Measure(model, cache)
    unpacked = fetch([GCOMPRIS, SCRATCH], packages)
    sets = {
        name: (pictures, np.concatenate([image(each.content, each.file) for each in pictures]))
        for name, pictures in captioned(unpacked)
    }
    called = names(unpacked[GCOMPRIS].share / "gcompris-qt/rcc")
    tables = (
        ("Names of drawings, recall at 10, %", names_table(*sets["drawings"], called, measure)),
        ("Colours: one picture in two hues, the bare word", colours_table(sets, model, measure)),
        ("English captions under other locales, recall at 10, %", english_table(sets, measure)),
    )
    return "\n\n".join(f"{title}\n\n" + "\n".join(table) for title, table in tables)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="measure-languages", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--model", default="starter", metavar="NAME", help="the encoder (default starter)")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="an encoder that is not among the program's")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="the program's cache folder")
    parser.add_argument(
        "--packages", type=Path, default=default_folder(), metavar="DIR", help="where packages are kept"
    )
    args = parser.parse_args(words)
    try:
        cache = cache_folder(args.cache)
        model = registry.read_model(args.folder / "model.toml") if args.folder else registry.load(args.model, cache)
        print(measured(model, args.packages, cache))
    except (PackageError, ResourceError, OSError) as error:
        print(f"measure-languages: {error}", file=sys.stderr)
        raise SystemExit(3) from None
    except AtlasError as error:
        print(f"measure-languages: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()

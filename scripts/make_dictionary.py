"""Makes `models/dictionary.zip`: what everyday words of other languages mean in English, and what English ones are
called there.

Unicode's CLDR gives each emoji and symbol a name and keywords in some hundred languages. Over all characters the words
of a language are paired with the English ones that come with the same characters, by Dice's coefficient; a name always
means the English name of its character. Little words are left out by lists of ours. The same packages give the same
file, to the byte.
Called by `scripts/make-dictionary`.
"""

from __future__ import annotations

import argparse
import lzma
import sys
import tomllib
import unicodedata
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from debian_packages import PackageError, default_folder, fetch
from make_vocabulary import WORDNET, WordNet, read_wordnet

ROOT = Path(__file__).resolve().parents[1]
HINTS = Path(__file__).with_name("dictionary.toml")
VOCABULARY = ROOT / "models" / "vocabulary.txt"
CLDR = "unicode-cldr-core"
ENGLISH = "en"
INHERITED = "↑↑↑"
REGIONS = {
    "ar": ("ar_SA",), "de": ("de_CH",), "en": ("en_001", "en_GB", "en_AU", "en_CA", "en_IN"),
    "es": ("es_419", "es_MX", "es_US"), "fr": ("fr_CA",), "ha": ("ha_NE",), "pt": ("pt_PT",), "sr": ("sr_Cyrl",),
    "sw": ("sw_KE",), "yo": ("yo_BJ",), "zh_Hant": ("zh_Hant_HK",),
}  # fmt: skip
"""Language -> files whose words it takes where it has none for a character. What a script tells apart stays apart."""
LEFT_OUT = {"root", "sr_Cyrl_BA", "sr_Latn_BA"}
NAME_WEIGHT = 1.5
"""Of a pair of names, where one of two keywords counts one."""
LEAST = 0.5
"""Score from which on a word is taken to mean another."""
PART_LEAST, PART_SHARE, PART_SCORE = 2, 0.75, 0.1
"""A word within names means one within the English names that stands with it so often, and so large a part of the
time; adjectives have many forms, so their score is low."""
OFTEN, OFTEN_MAX = 0.02, 5
"""What each character that two words share adds to their score, up to so many: few prove little."""
LONGER = 0.15
"""Taken from a score where the English has over one word more: `cat` is not `cat with wry smile`."""
UNSPACED = ("ja", "zh", "zh_Hant", "yue", "yue_Hans", "th", "lo", "km", "my")
"""Languages that set no spaces between words."""
LEAST_CALLED, CALLED_LEAST = 0.4, 2
"""An English keyword is called by the one that scores best from this on and means it best, if they stand together at so
many characters; with one, it may be any word there."""
SKIN = {chr(code) for code in range(0x1F3FB, 0x1F400)}
WORDS_LEAST = 100
"""A language of fewer is left out."""
TEXT_MAX = 40
"""Longer texts are descriptions."""


@dataclass
class Annotations:
    """names: character -> name; keywords: character -> keywords. As written, NFC."""

    names: dict[str, str] = field(default_factory=dict)
    keywords: dict[str, list[str]] = field(default_factory=dict)

    def texts(self, character: str) -> list[str]:
        """Name and keywords, each once."""
        name = [self.names[character]] if character in self.names else []
        return list(dict.fromkeys([*name, *self.keywords.get(character, [])]))


def read_annotations(folder: Path, language: str) -> Annotations:
    """A language's own, completed by its regions'. Raises OSError, ParseError."""
    found = Annotations()
    for file in (language, *REGIONS.get(language, ())):
        if not (path := folder / f"{file}.xml").exists():
            continue
        names, keywords = _read(path)
        for character, name in names.items():
            if found.names.setdefault(character, name) != name:
                keywords.setdefault(character, []).append(name)
        for character, words in keywords.items():
            known = found.keywords.setdefault(character, [])
            known += [word for word in words if word not in known]
    return found


def _read(path: Path) -> tuple[dict[str, str], dict[str, list[str]]]:
    names, keywords = dict[str, str](), dict[str, list[str]]()
    for each in ET.parse(path).iter("annotation"):
        text = unicodedata.normalize("NFC", each.text or "").replace("\t", " ").strip()
        if not text or INHERITED in text:
            continue
        character = each.attrib["cp"]
        if each.get("type") == "tts":
            names[character] = text
        else:
            keywords[character] = [word.strip() for word in text.split("|") if word.strip()]
    return names, keywords


@dataclass(frozen=True)
class Pairs:
    """english: word as written -> the English one. words: English one -> the word it is called by."""

    english: dict[str, str]
    words: dict[str, str]

    def completed(self, synonyms: dict[str, str]) -> Pairs:
        """With words for English ones that have none, but a synonym that has."""
        more = {word: self.words[name] for word, name in synonyms.items() if name in self.words}
        return Pairs(self.english, more | self.words)


def aligned(theirs: Annotations, english: Annotations, *, unspaced: bool) -> Pairs:
    """The pairs of a language. Everything is gone through in a settled order, so that ties fall the same way."""
    spelled = _spellings(theirs)
    uses, english_uses, both = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    for character in sorted({*theirs.names, *theirs.keywords} & english.names.keys()):
        words = sorted({text.lower() for text in theirs.texts(character)})
        meant = sorted({text.lower() for text in english.texts(character)})
        named = (theirs.names.get(character, "").lower(), english.names[character].lower())
        uses.update(words)
        english_uses.update(meant)
        for word in words:
            for each in meant:
                both[word, each] += 2 if (word, each) == named else 1
    best: dict[str, tuple[float, str]] = {}
    called: dict[str, tuple[float, str]] = {}
    for (word, meaning), count in sorted(both.items()):
        score = 2 * count / (uses[word] + english_uses[meaning]) * (1 + OFTEN * min(count, OFTEN_MAX))
        if not unspaced and _length(meaning) > _length(word) + 1:
            score -= LONGER
        if score > best.get(word, (LEAST, ""))[0]:
            best[word] = (score, meaning)
        if count >= CALLED_LEAST and score > called.get(meaning, (LEAST_CALLED, ""))[0]:
            called[meaning] = (score, word)
    means = {word: meaning for word, (_, meaning) in best.items()}
    if not unspaced:
        parts = _parts(theirs, english)
        means = parts | {
            word: meaning for word, meaning in means.items() if word not in parts or both[word, meaning] > 1
        }
    names = dict[str, str]()
    for character in sorted(theirs.names.keys() & english.names.keys()):
        word, meaning = theirs.names[character].lower(), english.names[character].lower()
        names.setdefault(meaning, word)
    means.update((word, meaning) for meaning, word in reversed(names.items()))
    words_for = {meaning: word for meaning, (_, word) in called.items() if means.get(word, meaning) == meaning}
    words_for |= {meaning: word for meaning, word in names.items() if unspaced or _length(word) <= _length(meaning) + 1}
    return Pairs(
        {spelled.get(word, word): meaning for word, meaning in means.items() if _short(word, meaning)},
        {meaning: spelled[word] for meaning, word in words_for.items() if _short(word, meaning)},
    )


def _parts(theirs: Annotations, english: Annotations) -> dict[str, str]:
    """Words that only stand within names -> those within the English names: of `roter Kreis`, `roter Apfel` that is
    `red`."""
    uses, english_uses, both = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    for character in sorted(theirs.names.keys() & english.names.keys()):
        words = sorted(set(theirs.names[character].lower().split()))
        meant = sorted(filter(str.isalpha, set(english.names[character].lower().split())))
        uses.update(words)
        english_uses.update(meant)
        both.update((word, each) for word in words for each in meant)
    best: dict[str, tuple[float, str]] = {}
    for (word, meaning), count in sorted(both.items()):
        score = 2 * count / (uses[word] + english_uses[meaning]) * (1 + OFTEN * min(count, OFTEN_MAX))
        covered = count / uses[word]
        if count >= PART_LEAST and covered >= PART_SHARE and score > best.get(word, (PART_SCORE, ""))[0]:
            best[word] = (score, meaning)
    return {word: meaning for word, (_, meaning) in best.items()}


def synonyms(wordnet: WordNet, english: Annotations, vocabulary: Iterable[str]) -> dict[str, str]:
    """Words of the vocabulary that are no character's name -> a name that says the same: one that shares their
    commonest sense, or is their plural."""
    names = sorted({name.lower() for name in english.names.values()})
    by_sense: dict[str, str] = {}
    for name in names:
        if senses := wordnet.senses.get(wordnet.singular(name.replace(" ", "_"))):
            by_sense.setdefault(senses[0], name)
    senses_of = ((word, wordnet.senses.get(word.replace(" ", "_"))) for word in vocabulary if word not in names)
    return {word: by_sense[senses[0]] for word, senses in senses_of if senses and senses[0] in by_sense}


def _spellings(theirs: Annotations) -> dict[str, str]:
    """Lower case -> as it is written most often; names count most."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for character in sorted({*theirs.names, *theirs.keywords}):
        for text in theirs.texts(character):
            seen[text.lower()][text] += 3 if theirs.names.get(character) == text else 1
    return {low: max(sorted(texts), key=texts.__getitem__) for low, texts in seen.items()}


def _length(text: str) -> int:
    return len(text.split())


def _short(*texts: str) -> bool:
    return all(len(text) <= TEXT_MAX and not set("|=>") & set(text) and any(map(str.isalpha, text)) for text in texts)


def text_of(pairs: Pairs, english: Sequence[str]) -> str:
    """A line for each of the English words, with what means it, `|` between: `=` before what is also the word for it,
    `>` before what is that alone. Most lines are short or empty, and the English words are not told again."""
    entries: defaultdict[str, list[str]] = defaultdict(list)
    for word, meaning in sorted(pairs.english.items()):
        entries[meaning].append(f"={word}" if pairs.words.get(meaning) == word else word)
    for meaning, word in pairs.words.items():
        if pairs.english.get(word) != meaning:
            entries[meaning].append(f">{word}")
    return "\n".join("|".join(entries[meaning]) for meaning in english)


def own_names(folder: Path, languages: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Language -> its name in itself and in English."""
    english = _language_names(folder / "en.xml")
    found = {}
    for language in languages:
        file = next((folder / f"{name}.xml" for name in (language, language.partition("_")[0])), folder / "en.xml")
        theirs = _language_names(file) if file.exists() else {}
        name = theirs.get(language) or theirs.get(language.partition("_")[0]) or english.get(language, language)
        found[language] = (name, english.get(language) or english.get(language.partition("_")[0], language))
    return found


def _language_names(file: Path) -> dict[str, str]:
    root = ET.parse(file).getroot().find("localeDisplayNames/languages")
    names = {} if root is None else {
        each.attrib["type"]: unicodedata.normalize("NFC", each.text or "") for each in root if each.get("alt") is None
    }  # fmt: skip
    return {language: name for language, name in names.items() if name and INHERITED not in name}


def emoji(english: Annotations, derived: Path) -> dict[str, str]:
    """Emoji -> name. Signs of punctuation and arithmetic and currencies are no emoji: they are typed for other reasons;
    nor is one in a tone of skin, which is looked up without."""
    names = english.names | _read(derived)[0]
    return {
        each: name.lower().partition(":")[2].strip() or name.lower()
        for each, name in names.items()
        if unicodedata.category(each[0]) in ("So", "Sk", "Cn") and each[0] not in "©®™°" and not set(each) & SKIN
    }


def lines(table: dict[str, str]) -> str:
    return "\n".join(f"{key}\t{value}" for key, value in sorted(table.items()))


def write(file: Path, members: dict[str, str], *, version: str) -> None:
    """Raises OSError."""
    part = file.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_LZMA) as archive:
        archive.comment = NOTE.format(version=version).encode()
        for name, text in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text.encode(), zipfile.ZIP_LZMA)
    part.replace(file)


NOTE = (
    "Made by scripts/make-dictionary from Unicode CLDR (Debian {version}), copyright 1991-2022 Unicode, Inc. "
    "(Unicode-DFS-2016)."
)


def stop(message: str, code: int) -> NoReturn:
    print(f"make-dictionary: {message}", file=sys.stderr)
    raise SystemExit(code)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="make-dictionary", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "models" / "dictionary.zip", metavar="FILE")
    parser.add_argument(
        "--packages", type=Path, default=default_folder(), metavar="DIR", help="where packages are kept"
    )
    args = parser.parse_args(words)
    try:
        packages = fetch([CLDR, WORDNET], args.packages)
        package = packages[CLDR]
        common = package.share / "unicode" / "cldr" / "common"
        folder = common / "annotations"
        english = read_annotations(folder, ENGLISH)
        vocabulary = [word for word in VOCABULARY.read_text("utf-8").splitlines() if not word.startswith("#")]
        alike = synonyms(read_wordnet(packages[WORDNET].share / "wordnet"), english, vocabulary)
        merged = {file for files in REGIONS.values() for file in files}
        found: dict[str, Pairs] = {}
        for language in sorted(file.stem for file in folder.glob("*.xml")):
            if language in LEFT_OUT or language in merged or language == ENGLISH:
                continue
            pairs = aligned(read_annotations(folder, language), english, unspaced=language in UNSPACED)
            if len(pairs.english) < WORDS_LEAST:
                continue
            found[language] = pairs.completed(alike)
        meanings = sorted({meaning for pairs in found.values() for meaning in (*pairs.words, *pairs.english.values())})
        members = {language: text_of(pairs, meanings) for language, pairs in found.items()}
        members["english"] = "\n".join(meanings)
        names = own_names(common / "main", [*found, ENGLISH])
        members["languages"] = "\n".join(f"{code}\t{own}\t{name}" for code, (own, name) in sorted(names.items()))
        members["emoji"] = lines(emoji(english, common / "annotationsDerived" / "en.xml"))
        members |= {kind: lines(hints) for kind, hints in tomllib.loads(HINTS.read_text("utf-8")).items()}
        write(args.output, members, version=f"{CLDR} {package.version}")
    except PackageError as error:
        stop(str(error), 3)
    except (OSError, ET.ParseError, lzma.LZMAError) as error:
        stop(str(error), 3)
    words_known = sum(len(pairs.english) for pairs in found.values())
    print(f"{len(found)} languages, {words_known:,} words, {args.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

"""What a generated picture was made from: the words asked for, without those to be avoided and without numbers.

Each program writes them in a way of its own, mostly as a text in the PNG file: AUTOMATIC1111, Forge and Fooocus
(`parameters`), ComfyUI (`prompt`, a graph of nodes), NovelAI (`Comment`), InvokeAI (`invokeai_metadata`, `sd-metadata`,
`Dream`), Midjourney (`Description`). In JPEG and WebP the same text is EXIF's user comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from atlas_rt.library.metadata.texts import TEXT, cleaned

_SETTINGS = re.compile(r"(?:^|\n)\s*(?:Negative prompt:|Steps: \d)")
"""Where the words end and the settings begin."""
_QUOTED = re.compile(r'\s*"(.*?)"(?:\s+-|\s*$)', re.DOTALL)
_JOB = re.compile(r"\s*Job ID: [0-9a-f-]{36}.*", re.DOTALL)
_KEYS = ("parameters", "prompt", "invokeai_metadata", "sd-metadata", "Dream", "Comment", "UserComment", "Description")
_NAMES = ("prompt", "positive_prompt", "positivePrompt", "sui_image_params", "image", "base_caption")
"""In which fields of a document the words may be, or what holds them."""
_DEPTH = 4


def prompt_of(texts: Mapping[str, str]) -> str:
    """texts: keyword -> text, as the file names them. Empty where none of them tells of a prompt."""
    return next((prompt for key in _KEYS if (prompt := cleaned(_words(key, texts.get(key, "")), TEXT))), "")


def _words(key: str, text: str) -> str:
    if text.lstrip().startswith(("{", "[")):
        return _of_document(text)
    settings = _SETTINGS.search(text)
    if settings and settings.start():
        return text[: settings.start()]
    match key:
        case "parameters" | "prompt":
            return "" if settings else text
        case "Dream":
            quoted = _QUOTED.match(text)
            return quoted[1] if quoted else text
        case "Description":
            return _JOB.sub("", text) if _JOB.search(text) else ""
        case _:
            return ""


def _of_document(text: str) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return _of_graph(document) or _named(document, _DEPTH)


def _named(value: Any, depth: int) -> str:
    """The first text in one of the fields that hold words."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and depth:
        return _named(value[0], depth - 1)
    if isinstance(value, dict) and depth:
        return next((words for name in _NAMES if name in value and (words := _named(value[name], depth - 1))), "")
    return ""


def _of_graph(graph: Any) -> str:
    """ComfyUI: what the inputs called "positive" lead to, else the longest text of a node that encodes one."""
    nodes = {id_: node for id_, node in graph.items() if _is_node(node)} if isinstance(graph, dict) else {}
    starts = [node["inputs"]["positive"] for node in nodes.values() if "positive" in node["inputs"]]
    found = [text for start in starts for text in _texts_behind(start, nodes)]
    if not found:
        encoders = [node for node in nodes.values() if "TextEncode" in str(node.get("class_type"))]
        found = sorted((text for node in encoders for text in _own_texts(node)), key=len)[-1:]
    return "\n".join(dict.fromkeys(found))


def _texts_behind(link: Any, nodes: Mapping[str, Any]) -> Iterator[str]:
    """The texts of the nearest nodes that have any. link: [id of a node, number of its output]."""
    links, seen = [link], set[str]()
    while links:
        link = links.pop(0)
        id_ = str(link[0]) if isinstance(link, list) and link else ""
        if id_ not in nodes or id_ in seen:
            continue
        seen.add(id_)
        texts = list(_own_texts(nodes[id_]))
        yield from texts
        if not texts:
            links += [value for value in nodes[id_]["inputs"].values() if isinstance(value, list)]


def _own_texts(node: Any) -> Iterator[str]:
    for name, value in node["inputs"].items():
        if (
            isinstance(value, str)
            and value.strip()
            and name.startswith(("text", "prompt", "string", "value", "wildcard"))
        ):
            yield value


def _is_node(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("inputs"), dict)

"""A window that tells what it hears: reads commands as lines of JSON, answers each with one. See `conftest.Probe`."""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from typing import Any

from atlas_rt.ui.input import Typed
from atlas_rt.ui.window import Window


def main() -> None:
    options = {"title": "probe", "size": (800, 600), **json.loads(sys.argv[1])}
    window = Window(options.pop("title"), **options)
    heard = Heard()
    commands: queue.Queue[list[Any] | None] = queue.Queue()
    threading.Thread(target=read_commands, args=(commands,), daemon=True).start()
    tell({"size": window.size_px, "framebuffer": window.framebuffer_px, "dpi_scale": window.dpi_scale})
    while True:
        heard.add(window.poll())
        window.flip()
        try:
            command = commands.get(timeout=0.005)
        except queue.Empty:
            continue
        if command is None:
            window.close()
            window.close()
            return
        tell(carry_out(window, heard, *command))


def carry_out(window: Window, heard: Heard, what: str, *words: Any) -> Any:
    match what:
        case "heard":
            return heard.told
        case "forget":
            heard.forget()
        case "settle":
            end = time.monotonic() + 0.05
            while time.monotonic() < end:
                heard.add(window.poll())
        case "text_focused" | "looking":
            setattr(window, what, words[0])
        case "clipboard" | "clipboard_paths" | "clipboard_has_picture" | "layout":
            return getattr(window, what)()
        case "set_clipboard_picture":
            return window.set_clipboard_picture(bytes.fromhex(words[0]), words[1])
        case "set_clipboard":
            window.set_clipboard(words[0])
        case "fullscreen":
            window.set_fullscreen(words[0])
        case "pointer":
            window.set_pointer_visible(words[0])
        case "where":
            return {"size": window.size_px, "framebuffer": window.framebuffer_px, "fullscreen": window.fullscreen}
        case "title":
            window.set_title(words[0])
        case _:
            raise ValueError(what)
    return None


class Heard:
    """Everything heard since `forget`, in plain lists."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.told: dict[str, Any] = {
            "actions": [], "text": "", "held": [], "drops": [], "clicks": [], "wheel": 0, "closed": 0, "drag": [0, 0],
        }  # fmt: skip

    def add(self, told: Any) -> None:
        self.told["actions"] += told.actions
        self.told["text"] += "".join(event.text for event in told.events if isinstance(event, Typed))
        self.told["held"] = sorted(told.held)
        self.told["drops"] += told.drops
        self.told["clicks"] += [
            [click.button, click.count, *click.at_px, click.modifiers.ctrl] for click in told.clicks
        ]
        self.told["wheel"] += told.wheel
        self.told["closed"] += told.closed
        self.told["drag"] = [a + b for a, b in zip(self.told["drag"], told.drag_left_px, strict=True)]
        self.told["pointer"] = told.pointer_px
        self.told["focused"] = told.focused


def read_commands(commands: queue.Queue[list[Any] | None]) -> None:
    for line in sys.stdin:
        commands.put(json.loads(line))
    commands.put(None)


def tell(what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()

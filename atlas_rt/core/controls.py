"""The one table of actions and keys: the window dispatches by it and the help is made from it.

Chords are written as a person reads them, "Ctrl+Shift+F". Motion goes by physical key (named here by its place on a
US keyboard), everything else by the character the key gives.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do.

    chords: every way to do it, the first is shown. held: acts as long as the key is down (motion, the way out of the
    kiosk). kiosk: allowed there.
    mouse: a gesture shown in the help and handled by the window itself. where: "look" for what is done while a picture
    is looked at whole, when its chords come before all others.
    """

    name: str
    chords: tuple[str, ...]
    does: str
    group: str
    held: bool = False
    kiosk: bool = True
    mouse: bool = False
    where: str = ""


ACTIONS: tuple[Action, ...] = (
    Action("forward", ("W",), "fly forward", "Fly", held=True),
    Action("back", ("S",), "fly back", "Fly", held=True),
    Action("left", ("A",), "fly left", "Fly", held=True),
    Action("right", ("D",), "fly right", "Fly", held=True),
    Action("up", ("E", "Space"), "fly up", "Fly", held=True),
    Action("down", ("Q", "C"), "fly down", "Fly", held=True),
    Action("faster", ("Shift",), "hold to fly faster", "Fly", held=True),
    Action("speed", ("Wheel",), "change the speed", "Fly", mouse=True),
    Action("look", ("Drag",), "look around", "Fly", mouse=True),
    Action("orbit_drag", ("Right drag",), "orbit", "Fly", mouse=True),
    Action("home", ("H",), "see the whole map", "Fly"),
    Action("focus", ("F",), "fly to the selected image", "Fly"),
    Action("previous_place", ("Alt+Left",), "back to where you were", "Fly"),
    Action("next_place", ("Alt+Right",), "forward again", "Fly"),
    Action("orbit", ("O",), "circle the selected image, or the map", "Fly"),
    Action("tour", ("T",), "guided tour", "Fly"),
    Action("search", ("/", "Ctrl+F"), "find by name or meaning", "Find"),
    Action("more_like_this", ("N",), "more like this image", "Find"),
    Action("more_like_click", ("Right click",), "more like this image", "Find", mouse=True),
    Action("closer_matches", ("Ctrl+Up",), "only closer matches", "Find"),
    Action("more_matches", ("Ctrl+Down",), "more distant ones too", "Find"),
    Action("as_typed", ("Ctrl+T",), "words as typed, or read in your language", "Find"),
    Action("fly_to_best", ("Enter",), "fly to the best result", "Find"),
    Action("next_result", ("Tab",), "next result, or next image in sight", "Find"),
    Action("previous_result", ("Shift+Tab",), "the one before", "Find"),
    Action("neighbour_left", ("Left",), "the neighbour to the left", "Find"),
    Action("neighbour_right", ("Right",), "the neighbour to the right", "Find"),
    Action("neighbour_up", ("Up",), "the neighbour above", "Find"),
    Action("neighbour_down", ("Down",), "the neighbour below", "Find"),
    Action("bookmark", ("B",), "keep this view, by a name", "Find", kiosk=False),
    Action("wall", ("G",), "every image side by side, and back", "Find"),
    Action("minimap", ("M",), "the map from above, small", "Find"),
    Action("clusters", ("K",), "the clusters, in a list", "Find"),
    Action("filters", ("Ctrl+Shift+F",), "filters: by year, folder, camera", "Find"),
    Action("timeline", ("J",), "the timeline, to brush a span of dates", "Find"),
    Action("hide_filtered", ("Ctrl+J",), "hide what the filters leave out, or dim it", "Find"),
    Action("clear_filters", ("Ctrl+Shift+J",), "take all filters off", "Find"),
    Action("rename_cluster", ("F2",), "rename the cluster you are at", "Find", kiosk=False),
    Action("why", ("Y",), "what you look at; why these are together", "Find"),
    Action("click", ("Click",), "select an image", "Find", mouse=True),
    Action("double_click", ("Double-click",), "fly to an image", "Find", mouse=True),
    Action("scroll_panel", ("PageUp", "PageDown"), "scroll the image's panel", "Find", mouse=True),
    Action("look_whole", ("V",), "look at it whole; compare several", "Look"),
    Action("look_move", ("Drag", "W A S D"), "move it", "Look", mouse=True, where="look"),
    Action("look_zoom", ("Wheel", "E Q"), "nearer, farther", "Look", mouse=True, where="look"),
    Action("look_nearer", ("+", "="), "nearer", "Look", where="look"),
    Action("look_farther", ("-",), "farther", "Look", where="look"),
    Action("look_size", ("Space",), "pixel for pixel, or all of it", "Look", where="look"),
    Action("look_next", ("Right", "Tab"), "the next picture", "Look", where="look"),
    Action("look_previous", ("Left", "Shift+Tab"), "the one before", "Look", where="look"),
    Action("look_compare", ("Enter",), "compare it with the one before", "Look", where="look"),
    Action("look_turn", ("R",), "turn it (only here)", "Look", where="look"),
    Action("look_turn_back", ("Shift+R",), "turn it back", "Look", where="look"),
    Action("look_information", ("I",), "what is known of it", "Look", where="look"),
    Action("live", ("L",), "camera on or off", "Live", kiosk=True),
    Action("open", ("Ctrl+O",), "open a folder", "Program", kiosk=False),
    Action("open_file", ("Ctrl+Enter",), "open the image in its own program", "Program", kiosk=False),
    Action("show_in_folder", ("Ctrl+Shift+Enter",), "show it in its folder", "Program", kiosk=False),
    Action("copy_path", ("Ctrl+C",), "copy the image's path", "Program", kiosk=False),
    Action("copy_picture", ("Ctrl+Shift+C",), "copy the picture itself", "Program", kiosk=False),
    Action("copy_text", ("Ctrl+I",), "copy what is known of it", "Program", kiosk=False),
    Action("paste", ("Ctrl+V",), "add or search by what you copied", "Program", kiosk=False),
    Action("undo", ("Ctrl+Z",), "take back what you changed last", "Program", kiosk=False),
    Action("redo", ("Ctrl+Shift+Z",), "make that change again", "Program", kiosk=False),
    Action("picture", ("F12",), "save a picture of the view", "Program", kiosk=False),
    Action("fullscreen", ("F11",), "full screen", "Program", kiosk=False),
    Action("figures", ("F3",), "frame figures", "Program", kiosk=False),
    Action("palette", ("Ctrl+K",), "every action, by name", "Program", kiosk=False),
    Action("settings", ("Ctrl+,",), "settings", "Program", kiosk=False),
    Action("help", ("F1", "?"), "help: all keys", "Program"),
    Action("step_back", ("Esc",), "one step back", "Program"),
    Action("quit", ("Ctrl+Q",), "quit", "Program", kiosk=False),
    Action("leave_kiosk", ("Ctrl+Alt+Q",), "held three seconds: leave the kiosk", "Program", held=True),
)
"""Every action, in the order of the help."""

BY_NAME: dict[str, Action] = {action.name: action for action in ACTIONS}
BY_CHORD: dict[str, Action] = {
    chord: action for action in ACTIONS if not (action.mouse or action.where) for chord in action.chords
}
WHILE_LOOKING: dict[str, Action] = {
    chord: action for action in ACTIONS if action.where == "look" and not action.mouse for chord in action.chords
}
"""What comes before `BY_CHORD` while a picture is looked at whole."""

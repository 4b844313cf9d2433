"""What one window consists of, handed to everything that acts in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from atlas_rt.core.hints import HintState
from atlas_rt.core.visibility import Pointer
from atlas_rt.core.world import World
from atlas_rt.encoders.registry import Model
from atlas_rt.settings import Settings
from atlas_rt.ui.window import AnyWindow
from atlas_rt.window.incoming import Incoming
from atlas_rt.window.panel_state import PanelState
from atlas_rt.window.picture import WindowPicture
from atlas_rt.window.session import Session
from atlas_rt.window.upgrade_state import UpgradeState
from atlas_rt.workers.picture_files import PictureFiles
from atlas_rt.workers.preferences import PreferenceWorker


@dataclass(slots=True)
class Parts:
    """Owned by the main thread.

    model: what libraries are opened with from now on. world, panel_state, session: those of the library that is open,
    replaced together by `opening`. upgrade: the way to a stronger model, which outlives them. panel_hovered: id of the
    image that the pointer rests on in a panel, -1 for none. incoming: the scene that is shown next. pointer: what lies
    under it in the cloud. keeper: writes what the person sets and has learnt, None to keep nothing. running: False once
    the person has left.
    """

    settings: Settings
    cache: Path
    model: Model
    window: AnyWindow
    display: WindowPicture
    picture_files: PictureFiles
    world: World
    panel_state: PanelState
    session: Session | None = None
    panel_hovered: int = -1
    incoming: Incoming | None = None
    pointer: Pointer = field(default_factory=Pointer)
    upgrade: UpgradeState = field(default_factory=UpgradeState)
    hints: HintState = field(default_factory=HintState)
    keeper: PreferenceWorker | None = None
    running: bool = True

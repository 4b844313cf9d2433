"""What floats over the map. `Panels.build` shows a `Hud` and returns what the person asked for in it."""

from __future__ import annotations

from collections.abc import Mapping

from imgui_bundle import imgui

from atlas_rt.core.framing import FreeView
from atlas_rt.core.hud import Hud
from atlas_rt.core.requests import Hover, Request
from atlas_rt.typesetting.system_fonts import SystemFonts
from atlas_rt.ui import theme
from atlas_rt.ui.fonts import current_fonts
from atlas_rt.ui.panels.answer_card import AnswerCardPanel
from atlas_rt.ui.panels.bearings import build_compass, build_place
from atlas_rt.ui.panels.canvas import Rect, TextureRef, Thumbnails, Type
from atlas_rt.ui.panels.clusters import ClustersPanel
from atlas_rt.ui.panels.consent import ConsentPanel
from atlas_rt.ui.panels.counts import build_counts
from atlas_rt.ui.panels.detail import DetailPanel
from atlas_rt.ui.panels.drop_offer import DropOfferPanel
from atlas_rt.ui.panels.figures import FiguresPanel
from atlas_rt.ui.panels.filters import FiltersPanel
from atlas_rt.ui.panels.free_space import free_view
from atlas_rt.ui.panels.help import HelpPanel
from atlas_rt.ui.panels.hints import HintLine
from atlas_rt.ui.panels.hover import HoverCard
from atlas_rt.ui.panels.live import LivePanel
from atlas_rt.ui.panels.look import BAR_HEIGHT, LookPictures
from atlas_rt.ui.panels.minimap import MinimapPanel
from atlas_rt.ui.panels.model_upgrade import build_offers, build_work
from atlas_rt.ui.panels.neighbour_ring import NeighbourRing
from atlas_rt.ui.panels.notices import Notices
from atlas_rt.ui.panels.palette import PalettePanel
from atlas_rt.ui.panels.panel_context import PanelContext
from atlas_rt.ui.panels.search import SearchPanel
from atlas_rt.ui.panels.settings import SettingsPanel
from atlas_rt.ui.panels.status import StatusPanel
from atlas_rt.ui.panels.tags import NameTags
from atlas_rt.ui.panels.timeline import TimelinePanel
from atlas_rt.ui.panels.welcome import WelcomePanel
from atlas_rt.ui.shaped_text import ShapedText

__all__ = ["Panels", "TextureRef", "Thumbnails"]


class Panels:
    """All panels of one overlay. Between `Overlay.begin` and `Overlay.draw`, once a frame.

    layout: what is printed on the keys (`Window.layout`), for the help. fonts: of the system, for other scripts.
    """

    def __init__(
        self,
        thumbnails: Thumbnails,
        *,
        layout: Mapping[str, str] | None = None,
        fonts: SystemFonts | None = None,
    ) -> None:
        self._thumbnails = thumbnails
        self._shaped = ShapedText(fonts)
        self._type: Type | None = None
        self._pointed_id = -1
        self.covered: list[Rect] = []
        """Where panels lay in the last frame."""
        self.free = FreeView()
        """What they left of the picture."""
        self._tags, self._status, self._figures = NameTags(), StatusPanel(), FiguresPanel()
        self._search, self._hover, self._detail = SearchPanel(), HoverCard(), DetailPanel()
        self._clusters, self._answer, self._consent = ClustersPanel(), AnswerCardPanel(), ConsentPanel()
        self._filters, self._timeline = FiltersPanel(), TimelinePanel()
        self._live, self._notices, self._welcome = LivePanel(), Notices(), WelcomePanel()
        self._minimap, self._palette = MinimapPanel(), PalettePanel()
        self._help, self._look = HelpPanel(layout or {}), LookPictures()
        self._settings, self._hints = SettingsPanel(), HintLine(layout or {})
        self._looking = False
        self._ring, self._drop_offer = NeighbourRing(), DropOfferPanel()

    @property
    def wants_text(self) -> bool:
        """A text field has the focus or is about to: letters are text. Give it to `Window.text_focused` every frame."""
        if self._looking:
            return False
        fields = self._search, self._clusters, self._filters, self._welcome, self._palette
        return any(field.wants_text for field in fields)

    @property
    def search_has_focus(self) -> bool:
        """The search console's field is the one that letters go to."""
        return self._search.wants_text and not (self._looking or self._palette.wants_text)

    def focus_search(self) -> None:
        """Put the caret into the search console's field, also when the console is open already."""
        self._search.focus()

    def build(self, hud: Hud) -> list[Request]:
        """Show one frame's panels."""
        context = PanelContext(hud, self._measures(), self._thumbnails)
        self._looking = self._look.build(context)
        if self._looking:
            self._build_over_look(context)
            return context.requests
        build_counts(context)
        self._tags.build(context, [*self.covered, *self._ring.covered])
        self._detail.build(context)
        if not (hud.kiosk or hud.welcome):
            self._status.build(context)
            build_work(context, context.covered[-1])
        self._search.build(context, self._detail.width(context), self._left(context))
        if hud.searching:
            build_offers(context, context.covered[-1])
        self._clusters.build(context)
        self._filters.build(context)
        self._timeline.build(context)
        if not hud.kiosk:
            self._figures.build(context, self._left(context))
        self._live.build(context, self._detail.width(context))
        self._minimap.build(context, self._detail.width(context))
        self._welcome.build(context)
        self._answer.build(context, self._timeline.top)
        bottom = min(self._answer.top(context), self._timeline.top)
        self._notices.build(context, self._hints.build(context, bottom - context.px(theme.MARGIN)))
        taken = max(self._clusters.taken(context), self._filters.taken(context))
        free = free_view(context.size, (taken, self._detail.width(context)), context.covered)
        self._ring.build(context, free)
        if not hud.help_open:
            sides = self._detail.width(context), self._left(context)
            self._hover.build(context, *sides, bottom)
        self.covered, self.free = context.covered, free
        if not (hud.help_open or hud.welcome):
            build_place(context)
            build_compass(context)
        self._drop_offer.build(context)
        self._consent.build(context)
        self._help.build(context)
        self._settings.build(context)
        self._palette.build(context)
        if context.pointed_id != self._pointed_id:
            self._pointed_id = context.pointed_id
            context.requests.append(Hover(context.pointed_id))
        return context.requests

    def _left(self, context: PanelContext) -> float:
        """How much of the left side the clusters or the filters have."""
        return max(self._clusters.width(context), self._filters.width(context))

    def _build_over_look(self, context: PanelContext) -> None:
        """What is shown over pictures that are looked at whole; all else waits behind them."""
        self.covered, context.covered = context.covered, []  # notices may lie over a picture
        self._notices.build(context, context.size[1] - context.px(BAR_HEIGHT + theme.MARGIN))
        self._help.build(context)
        self._settings.build(context)
        if self._pointed_id >= 0:
            self._pointed_id = -1
            context.requests.append(Hover(-1))

    def _measures(self) -> Type:
        scale = imgui.get_style().font_scale_dpi
        if self._shaped.refresh() or self._type is None or self._type.scale != scale:
            self._type = Type(current_fonts(), scale, self._shaped)
        return self._type

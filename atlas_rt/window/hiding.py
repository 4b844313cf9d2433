"""Which clusters are drawn, changed by the person in a way that can be taken back."""

from __future__ import annotations

from functools import partial

from atlas_rt.core.cluster_list import ShownClusters
from atlas_rt.core.undo import Undoable
from atlas_rt.window.parts import Parts


def change(parts: Parts, after: ShownClusters) -> None:
    """Draw these clusters from now on, as one thing that the person did; nothing where they are drawn already."""
    before = parts.world.shown_clusters
    if after == before:
        return
    parts.world.shown_clusters = after
    parts.panel_state.undo.add(
        Undoable(
            undone=partial(_told, parts, after, before),
            redone=partial(_told, parts, before, after),
            undo=partial(_turn, parts, after, before),
            redo=partial(_turn, parts, before, after),
            void=lambda: _kept(parts, before) == _kept(parts, after),
        )
    )


def _turn(parts: Parts, old: ShownClusters, new: ShownClusters) -> str:
    """Draw what `new` draws where it differs from `old`; what else became of the clusters since stays so."""
    shown = parts.world.shown_clusters
    parts.world.shown_clusters = shown.with_change(_kept(parts, old), _kept(parts, new))
    return ""


def _told(parts: Parts, old: ShownClusters, new: ShownClusters) -> str:
    """The notice once `new` is drawn again in place of `old`."""
    names = {each.id: each.name or f"cluster {each.id}" for each in parts.world.scene.cluster_records}
    old, new = _kept(parts, old), _kept(parts, new)
    turned = sorted(old.hidden ^ new.hidden)
    if new.alone >= 0 and new.alone != old.alone:
        return f"“{names[new.alone]}” is shown alone again"
    if len(turned) == 1 and old.alone < 0:
        return f"“{names[turned[0]]}” is {'hidden' if turned[0] in new.hidden else 'shown'} again"
    if new.all:
        return "all clusters are shown again"
    return "clusters are hidden again" if old.alone < 0 else "the other clusters are shown again"


def _kept(parts: Parts, shown: ShownClusters) -> ShownClusters:
    """Without the clusters that the map has lost since."""
    return shown.kept_to({each.id for each in parts.world.scene.cluster_records})

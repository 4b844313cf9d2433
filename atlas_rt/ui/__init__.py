"""The person: window, input, panels, kiosk rules.

pyglet comes in by `toolkit` and `x11`, Dear ImGui by `overlay`, `fonts`, `theme` and `panels`.
"""

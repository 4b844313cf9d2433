"""The numbers of the look, which both renderers share: the shaders get them as defines, by the same names.

Light is linear; the screen's curve is a square root. Sizes in pixels are half sides of cards unless told otherwise.
"""

from __future__ import annotations

FOG_COLOUR = (0.0030, 0.0042, 0.0100)
FOG_DENSITY = 0.45
CLEAR_LEAST = 0.12
"""A card is never lost in the fog altogether."""
KNEE = 0.72
"""Light up to which the tone curve is straight."""
PALE_FROM, PALE_TO, PALE = 0.9, 4.0, 0.35
"""What is brighter than the screen loses a share of its hue, as film does."""
VIGNETTE_LEAST, VIGNETTE_FROM, VIGNETTE_TO = 0.72, 0.35, 1.9
"""Light at the corners, and between which squares of the distance from the middle it falls to that."""
DITHER = 0.004

BACKDROP_MIDDLE = (0.0036, 0.0052, 0.0125)
BACKDROP_BORDER = (0.0009, 0.0012, 0.0032)
BACKDROP_REACH = 2.04
"""Distance from the middle, in half heights, at which the border's colour is reached."""
VIOLET = (0.0048, 0.0018, 0.0100)
TEAL = (0.0006, 0.0046, 0.0064)
VIOLET_CLOUD, VIOLET_CLOUD_2 = (-0.75, 0.25, -0.75, 0.75), (0.6, -0.3, 0.8, 0.6)
TEAL_CLOUD, TEAL_CLOUD_2 = (0.85, -0.30, -0.60, 0.70), (-0.7, 0.35, 0.7, 0.65)
"""Direction in the world, and width, of each of the two clouds of a colour."""

FANNED_FROM = 8.0
"""Added to the aspects of cards that are fanned out; those of hidden ones are negative (OpenGL's data only)."""
POINT_LEAST_PX = 0.9
FADE_SECS = 0.25
PICTURE_LIGHT = 0.8
"""So that light has room above it."""
AWAY_LIGHT = 0.4
"""What is left of it for an image whose file is not there."""
SMALL_FROM, SMALL_TO, SMALL_GAIN = 3.0, 14.0, 0.6
"""A small card gets more light."""
TINY_FROM, TINY_TO, TINY_HUE, TINY_FADE = 2.0, 7.0, 0.6, 0.4
"""A tiny one has no room for its picture and takes on some of its cluster's colour."""
CORNER = 0.32
"""Radius of a card's corners, as a share of half its short side."""
FACE_TOP, FACE_FALL = 1.07, 0.14
"""Light falls from above."""
RIM_SHARE, RIM_LEAST_PX, RIM_MOST_PX = 0.055, 0.75, 3.0
RIM_LIGHT, RIM_WHITE, RIM_COVER = 1.15, 0.3, 0.95
RIM_FROM, RIM_SLOPE = 0.4, 0.2
"""How strong a rim is: the slope times half the short side, less the first."""
RIM_LIGHT_MAX = 1.2
LEVEL_BIAS = 0.35
"""Tiles are a little sharper than one texel a pixel."""

GLOW_REST, GLOW_FOUND = 0.09, 0.8
"""Strength of the disc of light behind every node, and behind what a search found."""
GLOW_FROM_PX, GLOW_TO_PX = 14.0, 90.0
FOUND_FROM_PX, FOUND_TO_PX, FOUND_FADE = 24.0, 220.0, 0.8
"""It fades as the card grows on screen, or it would blind when near."""
LOOK_LINES = 720.0
"""Height of the picture that these sizes, and the widest rims, are meant for: in a larger one they grow with it."""
GLOW_LEAST = 0.004
GLOW_SIDES, GLOW_HEIGHT = 3.0, 0.14
"""How far a disc reaches beyond its card: half sides, but at most a share of the picture's height."""

GLOW_LINES, GLOW_MARGIN = 90.0, 1.3
"""Lines of the small picture that sums glow, for the height of the picture; it reaches beyond that by this factor."""
GLOW_NARROW, GLOW_MIDDLE, GLOW_WIDE = 1.0, 6.0, 40.0
"""Variances of its three blurs along each axis, in squares of its texels. A disc is a mixture of two of them."""

EDGE_WHITE = 0.25
MARKER_LIGHT = (0.55, 0.95, 1.0)
NEAR_CUT = 0.01
"""Depth at which an edge that passes the eye is cut."""
BEHIND_CARD = 1.3
"""Node sizes by which an edge's ends lie behind their own cards, which it does not cross out."""
OPEN_FROM, OPEN_TO = 0.03, 0.30
"""Edges that pass close before the eye must not blind it."""
LINE_LIGHT = 0.65
"""A hard line of a pixel is brighter than a soft one."""
LINE_LEAST, RIBBON_LEAST = 0.006, 0.002
"""Edges that give less light would change no pixel."""
CHOSEN_GAIN, CHOSEN_LEAST, CHOSEN_WIDTH = 2.0, 0.30, 1.8
"""Edges of what is hovered or selected."""
RIBBON_WIDTH, RIBBON_MOST_PX, RIBBON_LINES = 0.0021, 5.0, 900.0
"""Width of a ribbon in world units, and the most in pixels of a picture of so many lines."""
RIBBON_REACH, RIBBON_SOFT_PX = 1.1, 0.5
RIBBON_FALL, RIBBON_THIN = 3.2, 0.55
"""Fall of its light across, and what is left of a ribbon thinner than a pixel."""

HOVERED = (0.72, 0.82, 1.0)
SELECTED = (1.0, 0.80, 0.42)
HOVERED_GAIN, SELECTED_GAIN, FAN_GAIN = 1.15, 1.5, 0.35
RING_SHARE, RING_LEAST_PX, RING_MOST_PX, RING_CHOSEN = 0.05, 1.5, 4.0, 1.4
RING_HALO, RING_HALO_REACH = 0.32, 2.2
RING_BEAT, RING_BEAT_SPEED = 0.15, 2.6

BEACON_TINT = (0.30, 0.85, 1.0)
BEACON_LIGHT = 1.4
BEACON_SIDES, BEACON_LEAST, BEACON_MOST = 5.0, 0.060, 0.16
"""Half its side: so many node sizes, at least and at most a share of the picture's height."""
BEACON_CLEAR = 0.5
BEACON_BEAT = 0.45

BLOOM_NEAR, BLOOM_FAR = 0.55, 0.85
"""Shares of what shines that spread over a few pixels, and over some dozens."""
BLOOM_FROM, BLOOM_TO, BLOOM_COLOURED = 0.15, 0.8, 0.35
BLOOM_EDGE = 0.06
"""Of half the shorter side of a visited card: so far from its border bloom begins."""
BLOOM_OVER, BLOOM_SOFT = 0.9, 0.35
"""Pictures reach 0.85 and grey; what shines is coloured or brighter."""

CONSTANTS: dict[str, float | tuple[float, ...]] = {
    name: value
    for name, value in list(globals().items())
    if name.isupper() and (isinstance(value, float) or (isinstance(value, tuple) and isinstance(value[0], float)))
}

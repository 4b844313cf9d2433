"""The errors a person can meet, and the exit code each ends the program with.

    AtlasError                 1  a defect of ours, where nothing below fits
    ├── UsageError             2  wrong words, options or paths
    ├── MissingError           3  something is missing: a model, a camera, credentials, space
    │   └── NoGraphicsError    3  no display, or no OpenGL that can be used
    ├── FitError               1  the map could not be fitted; a window goes on with the map it has
    └── DecodeError            -  one image could not be read; recorded with its reason, never ends the program

Each message says what failed and what to do; the path comes last. Only `cli.py` turns one into an exit.
"""

from __future__ import annotations


class AtlasError(Exception):
    """Something a person should be told in one or two sentences."""

    exit_code = 1


class UsageError(AtlasError):
    """The words on the command line, or a path in them, are wrong; the message names the right ones."""

    exit_code = 2


class MissingError(AtlasError):
    """Something this machine lacks is needed; the message says how to get it."""

    exit_code = 3


class NoGraphicsError(MissingError):
    """There is no display to open a window on, or no OpenGL 3.3 to draw with."""


class FitError(AtlasError):
    """The map could not be fitted: the process for it failed or died again and again."""


class DecodeError(AtlasError):
    """A file is not a readable image; `str(error)` is the reason that the library keeps."""

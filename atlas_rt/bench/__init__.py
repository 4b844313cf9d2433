"""Measurements of this program on this machine. Bars are ratios or limits taken in one run."""

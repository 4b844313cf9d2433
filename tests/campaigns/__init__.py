"""Tests that take minutes: `scripts/campaign NAME` runs one."""

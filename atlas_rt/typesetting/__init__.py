"""Text of all scripts: the fonts that have its characters, its glyphs in order, and these as pixels (HarfBuzz)."""

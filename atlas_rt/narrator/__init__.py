"""Names and reasons for groups of images: from the vocabulary, or from Claude."""

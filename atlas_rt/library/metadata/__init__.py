"""What the files of pictures tell of them, pixels aside."""

"""What the files of pictures tell of them besides their pixels."""

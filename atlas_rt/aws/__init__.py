"""Amazon Web Services: the only place that imports boto3 and botocore (extra `[aws]`)."""

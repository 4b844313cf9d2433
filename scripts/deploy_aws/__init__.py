"""Building, deploying and trying the functions of `atlas_rt/aws` on AWS Lambda. Called by `scripts/deploy-aws`."""

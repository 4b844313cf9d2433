"""Makes the encoder that ships, `models/starter`, from packages of the registries. Run by `scripts/train-starter`."""

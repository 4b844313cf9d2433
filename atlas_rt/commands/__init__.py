"""The commands, one module each: `add_arguments(parser)` and `run(settings, arguments) -> exit code`."""

"""The commands, one module each: `run(settings, arguments) -> exit code`. `arguments.py` declares what each takes."""

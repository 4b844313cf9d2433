"""A door for other programs: a REST server, and a Model Context Protocol server."""

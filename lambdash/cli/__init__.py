"""The command line: parses, asks the daemon, renders; holds no logic of its own."""

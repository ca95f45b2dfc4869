"""The command line: Qt-free, JSON with --json, progress on stderr, exit 0/1/2."""

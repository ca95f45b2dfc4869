"""Tools that measure; each returns Evidence or a typed refusal.

`tool.py` says what a tool is, `collect.py` holds the table `TOOLS` and fills a ledger with it;
`serve.py` runs that in a worker process, and `client.py` is what a window or command line calls.
"""

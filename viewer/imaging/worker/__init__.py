"""The worker protocol and host: disposable processes with a memory limit and shared pixels.

`WorkerHost` (host.py) runs one child process of a kind (kinds.py) and calls its operations;
`SharedPool` (memory.py) owns the pixel memory that workers attach to; a package offers operations
by a module with `HANDLERS` (serve.py). The words on the wire are in wire.py.
"""

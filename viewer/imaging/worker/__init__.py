"""The worker protocol and host: disposable processes with a memory limit and shared pixels."""

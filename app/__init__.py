"""The only place where everything meets: command line, shell, sign-in, worklist, editor."""

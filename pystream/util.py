"""Small helpers that programs import from pyspark."""
from __future__ import annotations

import functools
import threading


def keyword_only(func):
    """Make a method accept keyword arguments only; they are kept in ``self._input_kwargs``."""
    @functools.wraps(func)
    def wrapper(self, *args, **kwargs):
        if args:
            raise TypeError(f"Method {func.__name__} forces keyword arguments.")
        self._input_kwargs = kwargs
        return func(self, **kwargs)
    return wrapper


def since(version):
    """Note in a docstring since which version something exists."""
    def mark(func):
        func.__doc__ = f"{(func.__doc__ or '').rstrip()}\n\n.. versionadded:: {version}"
        return func
    return mark


def inheritable_thread_target(f=None):
    """Give the function back: there is no JVM thread to inherit from."""
    return f if callable(f) else lambda func: func


class InheritableThread(threading.Thread):
    """A plain thread; the name exists for programs that use it."""


def is_remote_only() -> bool:
    """False: there is no remote mode."""
    return False

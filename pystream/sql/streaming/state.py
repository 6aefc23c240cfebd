"""Arbitrary state: the names that programs import; its operators are not part of this version."""
from __future__ import annotations

from pystream.errors import _not_implemented

__all__ = ["GroupState", "GroupStateTimeout"]


class GroupStateTimeout:
    """When the state of a group ends by itself."""

    NoTimeout: str = "NoTimeout"
    ProcessingTimeTimeout: str = "ProcessingTimeTimeout"
    EventTimeTimeout: str = "EventTimeTimeout"


class GroupState:
    """The state of a group."""

    def __init__(self, *args, **kwargs):
        raise _not_implemented("GroupState")

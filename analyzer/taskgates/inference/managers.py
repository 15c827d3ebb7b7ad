"""Context managers: what entering and leaving them does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.core import Core
from taskgates.inference.models import registry
from taskgates.inference.objects import Arguments, Instance
from taskgates.inference.values import NONE, UNKNOWN, AnyValue, Awaitable, Ext, Known, PathV, Union, Unknown, join

if TYPE_CHECKING:
    from taskgates.inference.log import RawSite


class Managers(Core):
    """The part of the interpreter that enters and leaves context managers."""

    def enter(self, manager: AnyValue, site: RawSite | None = None) -> AnyValue:
        """`__enter__` (or `__aenter__`); `site` is the place, None for the present call."""
        if isinstance(manager, Union):
            return join(self.enter(option, site) for option in manager.options)
        if isinstance(manager, Instance):
            for name in ("__enter__", "__aenter__"):
                if self.has_attr(manager, name):
                    value = self.call(self.get_attr(manager, name), Arguments())
                    return value.result if isinstance(value, Awaitable) else value
            type_name = manager.library_type
            model = registry.METHODS.get(f"{type_name}.__enter__")
            if model is not None:
                entered: AnyValue = model(self, manager, Arguments())
                return entered
            if self.is_lock(manager):
                self.enter_lock(manager, site)
                return self.external_context(manager, type_name)
            return self.external_context(manager, type_name)
        if isinstance(manager, Awaitable):
            return self.enter(manager.result, site)
        if isinstance(manager, PathV):
            return manager
        if isinstance(manager, Unknown):
            return Unknown(manager.reason, manager.origin)
        return manager

    def leave(self, manager: AnyValue, error: AnyValue | None) -> bool | None:
        """`__exit__` (or `__aexit__`); whether it swallows the exception."""
        if isinstance(manager, Union):
            for option in manager.options:
                self.leave(option, error)
            return None
        if isinstance(manager, Instance):
            for name in ("__exit__", "__aexit__"):
                if self.has_attr(manager, name):
                    kind = self.type_of(error) if error is not None else NONE
                    result = self.call(
                        self.get_attr(manager, name),
                        Arguments([kind, error if error is not None else NONE, UNKNOWN if error is not None else NONE]),
                    )
                    result = result.result if isinstance(result, Awaitable) else result
                    if error is None or isinstance(result, Unknown):
                        return False
                    return self.truth(result)
            type_name = manager.library_type
            model = registry.METHODS.get(f"{type_name}.__exit__")
            if model is not None:
                result = model(self, manager, Arguments([error if error is not None else NONE]))
                return isinstance(result, Known) and bool(result.value)
            if type_name:
                self.apply_special(manager, type_name, "__exit__", (NONE, NONE, NONE))
            if self.held and self.is_lock(manager):
                self.give_lock(self.lock_name(manager))
        return False

    def swallows(self, manager: AnyValue, error: AnyValue) -> bool:
        """Leave a manager with an exception, and say whether the program may go on behind its block."""
        swallowed = self.leave(manager, error)
        if swallowed is None and self.tries:
            self.tries[-1].values.append(error)
        return swallowed is not False

    def generator_manager(self, manager: AnyValue) -> tuple[AnyValue, Arguments] | None:
        """The generator function and arguments behind a `contextlib.contextmanager` object."""
        if (
            isinstance(manager, Instance)
            and isinstance(manager.cls, Ext)
            and manager.cls.name == "contextlib._GeneratorContextManager"
        ):
            return manager.slots["func"], manager.slots["args"]
        return None

"""Runs a Python program and writes down which of its functions call which, in the names that `graph calls` uses.

    python -m accuracy.call_tracer OUTPUT SCRIPT [ARGUMENT]...

The program is run in the working directory, and its functions are those of the files below it. What calls what is seen
twice over: `sys.setprofile` tells of every function that starts to run, also where Python or a library calls it, and
every call expression is wrapped, which tells of built-ins and of generator functions, whose code does not run when they
are called. A function that a library calls belongs to the innermost function of the program that is active, in a thread
to the one that started the thread. OUTPUT is JSON: `calls` and `builtins`, both callees by caller, and `error`.
"""

from __future__ import annotations

import ast
import atexit
import builtins
import importlib.machinery
import inspect
import json
import sys
import threading
import types
from pathlib import Path
from typing import Any

from accuracy.traced_program import TracedProgram

RECORD = "__record_call__"
PASSING = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
SUSPENDING = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class _Wrapper(ast.NodeTransformer):
    """Hands whatever is called, and every decorator, to the recorder first."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        node.func = self._wrapped(node.func, expression=True)
        return node

    def _decorated(self, node: Any) -> ast.AST:
        self.generic_visit(node)
        node.decorator_list = [self._wrapped(each, expression=False) for each in node.decorator_list]
        return node  # type: ignore[no-any-return]

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _decorated

    @staticmethod
    def _wrapped(node: ast.expr, *, expression: bool) -> ast.expr:
        name = ast.copy_location(ast.Name(RECORD, ast.Load()), node)
        flag = ast.copy_location(ast.Constant(expression), node)
        return ast.copy_location(ast.Call(name, [node, flag], []), node)


class Tracer:
    """What one run has shown so far.

    Args:
        root: the folder whose files are the program.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.calls: dict[str, set[str]] = {}
        self.builtins: dict[str, set[str]] = {}
        self.parents: dict[types.CodeType, types.CodeType] = {}
        self.numbers: dict[types.CodeType, int] = {}
        self.lambdas: dict[types.CodeType, int] = {}
        self.first: dict[types.CodeType, int] = {}
        self.resumed: dict[str, set[str]] = {}
        self.created: set[str] = set()
        self.starters: dict[int, str | None] = {}

    # Compiling

    def compile(self, source: str | bytes, path: str) -> types.CodeType:
        """The code of a module of the program, every call wrapped."""
        tree = ast.fix_missing_locations(_Wrapper().visit(ast.parse(source, path)))
        code = compile(tree, path, "exec", dont_inherit=True)
        self._adopt(code, code)
        return code

    def _adopt(self, code: types.CodeType, scope: types.CodeType) -> None:
        """Note what encloses each code object, and number the lambdas of a scope in their order."""
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType):
                self.parents[inner] = scope
                if inner.co_name == "<lambda>":
                    self.numbers[inner] = self.lambdas[scope] = self.lambdas.get(scope, 0) + 1
                self._adopt(inner, scope if inner.co_name in PASSING else inner)

    # Names

    def ours(self, code: types.CodeType) -> bool:
        """Whether code is the program's."""
        return code in self.parents or (code.co_name == "<module>" and code.co_filename.startswith(self.root))

    def name(self, code: types.CodeType, module: str) -> str:
        """The dotted name of the function, or the module, that code belongs to."""
        parts: list[str] = []
        current: types.CodeType | None = code
        while current is not None and current.co_name != "<module>":
            is_function = bool(current.co_flags & inspect.CO_OPTIMIZED) and current.co_name not in PASSING
            if parts or is_function:
                parts.append(f"<lambda{self.numbers[current]}>" if current.co_name == "<lambda>" else current.co_name)
            current = self.parents.get(current)
        return ".".join([module, *reversed(parts)])

    def of_frame(self, frame: types.FrameType) -> str:
        """The name of the function that a frame runs."""
        return self.name(frame.f_code, _module(frame.f_globals, frame.f_code))

    def caller(self, frame: types.FrameType | None) -> str | None:
        """The innermost function of the program that is active in a frame."""
        while frame is not None:
            if self.ours(frame.f_code):
                return self.of_frame(frame)
            frame = frame.f_back
        return self.starters.get(threading.get_ident())

    # Events

    def profile(self, frame: types.FrameType, event: str, _: Any) -> None:
        """A function starts to run, or runs on."""
        code = frame.f_code
        if event != "call" or code not in self.parents or code.co_name in PASSING:
            return
        if not code.co_flags & inspect.CO_OPTIMIZED:
            return
        caller, callee = self.caller(frame.f_back), self.of_frame(frame)
        if caller is None:
            return
        if not code.co_flags & SUSPENDING:
            self.calls.setdefault(caller, set()).add(callee)
        elif frame.f_lasti == self.first.setdefault(code, frame.f_lasti):
            self.resumed.setdefault(callee, set()).add(caller)

    def record(self, func: Any, expression: bool) -> Any:
        """A call expression, or a decorator, of the program is about to call `func`."""
        frame = sys._getframe(1)
        sys.setprofile(None)
        try:
            self._note(self.of_frame(frame), func, expression=expression)
        finally:
            sys.setprofile(self.profile)
        return func

    def _note(self, caller: str, func: Any, *, expression: bool) -> None:
        target = func.__func__ if isinstance(func, types.MethodType) else func
        if isinstance(target, types.FunctionType):
            code = target.__code__
            if code in self.parents and code.co_flags & SUSPENDING:
                callee = self.name(code, _module(target.__globals__, code))
                self.created.add(callee)
                self.calls.setdefault(caller, set()).add(callee)
        elif expression and (name := _builtin_name(target)) is not None:
            self.builtins.setdefault(caller, set()).add(f"<builtin>.{name}")

    def report(self, error: str) -> dict[str, Any]:
        """Everything seen; generators that no call expression made belong to who first asked them for a value."""
        calls = {caller: set(callees) for caller, callees in self.calls.items()}
        for callee, callers in self.resumed.items():
            for caller in callers if callee not in self.created else ():
                calls.setdefault(caller, set()).add(callee)
        seen = {"calls": calls, "builtins": self.builtins}
        ordered = {kind: {k: sorted(v) for k, v in sorted(edges.items())} for kind, edges in seen.items()}
        return {**ordered, "error": error}

    # Running

    def install(self) -> None:
        """Compile the program's modules wrapped, watch its threads, and listen."""
        plain = importlib.machinery.SourceFileLoader.source_to_code

        def source_to_code(loader: Any, data: Any, path: Any, **options: Any) -> Any:
            return self.compile(data, path) if path.startswith(self.root) else plain(loader, data, path, **options)

        importlib.machinery.SourceFileLoader.source_to_code = source_to_code  # type: ignore[method-assign, assignment]
        self._watch_threads()
        setattr(builtins, RECORD, self.record)
        threading.setprofile(self.profile)

    def _watch_threads(self) -> None:
        start = threading.Thread.start
        run = threading.Thread._bootstrap  # type: ignore[attr-defined]
        waiting: dict[threading.Thread, str | None] = {}

        def started(thread: threading.Thread) -> None:
            waiting[thread] = self.caller(sys._getframe(1))
            start(thread)

        def running(thread: threading.Thread) -> None:
            self.starters[threading.get_ident()] = waiting.pop(thread, None)
            run(thread)

        threading.Thread.start = started  # type: ignore[method-assign, assignment]
        threading.Thread._bootstrap = running  # type: ignore[attr-defined]


def _module(names: dict[str, Any], code: types.CodeType) -> str:
    """The dotted name of the module that runs with these globals; the main program's is its file's."""
    name = names.get("__name__", "?")
    return Path(code.co_filename).stem if name == "__main__" else str(name)


def _builtin_name(target: Any) -> str | None:
    """The name of a built-in function, type or method; None for anything else."""
    if isinstance(target, type):
        return target.__qualname__ if target.__module__ == "builtins" else None
    if isinstance(target, types.BuiltinFunctionType):
        owner = target.__self__
        if isinstance(owner, types.ModuleType):
            return target.__name__ if owner is builtins else None
        kind = owner if isinstance(owner, type) else type(owner)
        found = next((base for base in kind.__mro__ if target.__name__ in vars(base)), kind)
        return f"{found.__qualname__}.{target.__name__}" if found.__module__ == "builtins" else None
    return None


def main(output: str, script: str, arguments: list[str]) -> None:
    """Run a script as the main program and write what was seen to a file, whatever its end."""
    tracer = Tracer(str(Path.cwd()))
    program = TracedProgram(script, arguments)

    def write() -> None:
        sys.setprofile(None)
        Path(output).write_text(json.dumps(tracer.report(program.error)), encoding="utf-8")

    atexit.register(write)
    # What runs at the very end has no caller left.
    tracer.starters[threading.get_ident()] = Path(program.path).stem
    tracer.install()
    program.run(tracer.compile, lambda: sys.setprofile(tracer.profile))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])

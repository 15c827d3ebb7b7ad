"""Code that runs in the same interpreter: `exec`, `runpy`, files and modules by name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from taskgates.inference.conversion import from_python
from taskgates.inference.core import Core
from taskgates.inference.frames import AbstractRaise, Frame
from taskgates.inference.log import COMMAND_FILE
from taskgates.inference.objects import DictObj, FunctionV, Instance, ModuleV
from taskgates.inference.values import (
    NONE,
    AnyValue,
    BoundMethod,
    Known,
    Partial,
    path_text,
    text_of,
)
from taskgates.syntax import ir

if TYPE_CHECKING:
    from taskgates.inference.effects import Row


class CodeExecution(Core):
    """Runs texts, files and modules as part of the present program."""

    def execute_code(self, row: Row, bound: dict[str, AnyValue], call: str) -> AnyValue | None:
        """Analyse code that a library call runs in the same interpreter."""
        rule = row.executes
        assert rule is not None
        if rule.code and rule.code in bound:
            if isinstance(bound[rule.code], FunctionV | BoundMethod | Partial):
                return None
            return self.run_text(bound[rule.code], bound)
        if rule.module and rule.module in bound:
            name = text_of(bound[rule.module])
            if isinstance(name, str):
                return self.execute_module(name, bound)
            self.opaque(f"{call} with a module that is not known", other_code=True)
        if rule.script and rule.script in bound:
            text = path_text(bound[rule.script])
            place = self.in_tree(text) if text is not None else None
            kind = self.tree.kind(place) if place is not None else None
            if place is None and text is not None and (outside := self.installed(text)) is not None:
                place, kind = str(outside), "file" if outside.is_file() else None
            if place is None or kind not in ("file", "folder"):
                self.opaque(f"{call} with a script that is not known", other_code=True)
                return None
            if kind == "folder":
                place = f"{place}/__main__.py"
            name_value = bound.get("run_name")
            dunder = text_of(name_value) if name_value is not None else None
            module = ModuleV(str(dunder or "<run_path>"), place, "")
            if isinstance(bound.get("init_globals"), DictObj):
                for key, value in bound["init_globals"].known():  # type: ignore[union-attr]
                    if isinstance(key, Known):
                        module.slots[key.value] = value
            try:
                self.run_module(module, str(dunder or "<run_path>"))
            except AbstractRaise:
                self.may_raise()
            return DictObj("dict", {Known(k): v for k, v in module.slots.items() if isinstance(k, str)})
        return None

    def execute_module(self, name: str, bound: dict[str, AnyValue]) -> AnyValue | None:
        """`runpy.run_module`, `importlib.import_module`."""
        if "run_name" not in bound and "init_globals" not in bound and "alter_sys" not in bound:
            package = text_of(bound["package"]) if "package" in bound else None
            if name.startswith(".") and isinstance(package, str):
                level = len(name) - len(name.lstrip("."))
                base = package.split(".")
                base = base[: len(base) - (level - 1)]
                name = ".".join([*base, *([name.lstrip(".")] if name.lstrip(".") else [])])
            return self.import_module(name)
        dunder = text_of(bound["run_name"]) if "run_name" in bound else name
        found = self.locate_module(name)
        file = getattr(found, "file", None)
        if found is None or file is None:
            self.opaque(f"the module {name} was not found", other_code=True)
            return None
        if getattr(found, "is_package", False):
            inner = self.locate_module(f"{name}.__main__")
            file = getattr(inner, "file", None) or file
        module = ModuleV(str(dunder), file, name.rpartition(".")[0])
        try:
            self.run_module(module, str(dunder))
        except AbstractRaise:
            self.may_raise()
        return DictObj("dict", {Known(k): v for k, v in module.slots.items() if isinstance(k, str)})

    def run_text(
        self, value: AnyValue, bound: dict[str, AnyValue] | None = None, *, expression: bool = False
    ) -> AnyValue | None:
        """Analyse source text (`exec`, `eval`, `python -c`).

        An expression that is not known is taken to compute a value, not to make files that the program then looks for.
        """
        source = value.slots["source"] if isinstance(value, Instance) and "source" in value.slots else value
        text = text_of(source)
        if isinstance(source, Known) and isinstance(source.value, bytes):
            text = source.value.decode("utf-8-sig", "replace")
        if not isinstance(text, str) or len(text) > self.limits.file_size:
            self.opaque("code that is not known is executed", other_code=not expression)
            return None
        # Imported here: the parser takes long to load, and where every result is known nothing is parsed.
        from taskgates.syntax.lower import lower_source

        lowered = lower_source(text)
        if isinstance(lowered, ir.SourceProblem):
            self.opaque(f"executed code cannot be parsed: {lowered.message}")
            return None
        if not lowered.body:
            return _literal(text)
        frame = self.frame
        if frame is None:
            module = ModuleV("__main__", COMMAND_FILE, "")
            module.slots["__name__"] = Known("__main__")
            self.modules["__main__"] = module
            frame = Frame(module, "<module>", module.slots, None)
        namespace = None
        if bound is not None:
            namespace = next(
                (bound[name] for name in ("globals", "locals") if isinstance(bound.get(name), DictObj)), None
            )
        loops, self.loops = self.loops, []
        try:
            if namespace is not None:
                inner = Frame(frame.module, frame.qualname, {}, frame, None)
                assert isinstance(namespace, DictObj)
                inner.slots.update({key.value: item for key, item in namespace.known() if isinstance(key, Known)})
                inner.locals = None
                result = self.run_body(lowered.body, inner)
                for key, item in inner.slots.items():
                    self.state.write(namespace.slots, Known(key), item)
                return result
            return self.run_body(lowered.body, frame)
        except AbstractRaise as error:
            if self.tries or bound is not None:
                raise
            self.note_end(error)
            return None
        finally:
            self.loops = loops

    def run_body(self, body: list[ir.Stmt], frame: Frame) -> AnyValue:
        """Execute statements; the value of the last expression is the result of `eval`."""
        if len(body) == 1 and isinstance(body[0], ir.ExprStmt):
            with self.within(frame):
                return self.eval(body[0].value, frame)
        with self.within(frame):
            self.block(body, frame)
        return NONE


def _literal(text: str) -> AnyValue:
    """The value of text that is a lone string, which counts as documentation where it stands in a module."""
    try:
        return from_python(ast.literal_eval(text.strip()))
    except (SyntaxError, ValueError):
        return NONE

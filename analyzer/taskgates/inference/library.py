"""Carrying out what the effect tables say about a library call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgates.inference.calls import looks_like_path
from taskgates.inference.core import TEMPORARY, AbstractRaise, Core
from taskgates.inference.effects import (
    Arg,
    ArgForm,
    Callback,
    Condition,
    ConditionTest,
    Kind,
    PathExpr,
    Piece,
    ReturnForm,
    Returns,
    Row,
    Step,
)
from taskgates.inference.effects.model import operations_of_flags
from taskgates.inference.exceptions import catches
from taskgates.inference.models import registry
from taskgates.inference.paths import join_paths, pure_path, split_extension, split_last
from taskgates.inference.text import Hole, TextLike, concat, make_text, parts_of
from taskgates.inference.values import (
    BOOL,
    BYTES,
    FLOAT,
    INT,
    NONE,
    UNKNOWN,
    AnyValue,
    Arguments,
    Awaitable,
    BoundMethod,
    ClassV,
    DictObj,
    Ext,
    FunctionV,
    Instance,
    Known,
    ListObj,
    Maybe,
    Method,
    ModuleV,
    Native,
    Partial,
    PathV,
    Scalar,
    TupleV,
    Union,
    Unknown,
    as_value,
    join,
    options,
    path_text,
    render,
    text_hole,
    text_of,
)
from taskgates.model.access import Operation, SharedKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgates.syntax import ir

_SCALARS: dict[str, AnyValue] = {"int": INT, "float": FLOAT, "bool": BOOL, "bytes": BYTES, "complex": FLOAT}
HANDLE = "io.TextIOWrapper"
INNER = ("value",)
"""The slot of an object of a class over `list`, `dict` or `str` that holds the built-in value."""


class Library(Core):
    """Library calls by table."""

    # Calls

    def call_external(self, name: str, args: Arguments, node: ir.Call | None) -> AnyValue:
        """Call a library callable by qualified name."""
        del node
        name = registry.ALIASES.get(name, name)
        model = registry.FUNCTIONS.get(name)
        if model is None:
            name = self.effects.canonical(name)
            model = registry.FUNCTIONS.get(name)
        if model is not None:
            result = self.run_model(model, name, args)
            if result is not None:
                return result
        row = self.effects.lookup(name)
        if row is not None and row.kind in (Kind.CALLABLE, Kind.TYPE):
            owner, _, method = name.rpartition(".")
            if row.kind is Kind.CALLABLE and args.pos and self.is_a(args.pos[0], owner):
                # A method called through its class: the first argument is the object.
                return self.call_method(
                    args.pos[0], method, Arguments(args.pos[1:], args.kw, args.star, args.kwstar), None
                )
            return self.apply(row, args, None, name)
        unbound = registry.METHODS.get(name)
        if unbound is not None and args.pos:
            # `Class.method(obj, ...)`: the first argument is the object.
            obj = args.pos[0]
            inner = self.inner(obj, name.rpartition(".")[0]) if isinstance(obj, Instance) else obj
            rest = Arguments(args.pos[1:], args.kw, args.star, args.kwstar)
            result = self.run_model(unbound, name, inner, rest)
            if result is not None:
                return result
        return self.unlisted_call(name, args)

    def call_method(self, obj: AnyValue, name: str, args: Arguments, node: ir.Call | None) -> AnyValue:
        """Call a method that the models or the tables know."""
        del node
        if isinstance(obj, Union):
            return self.each(obj, lambda option: self.call_method(option, name, args, None))
        type_name = type_name_of(obj)
        if type_name is None:
            return self.call_unknown(Unknown(f"method {name}"), args)
        for candidate in self.type_names(type_name):
            model = registry.METHODS.get(f"{candidate}.{name}")
            if model is not None:
                inner = self.inner(obj, candidate) if isinstance(obj, Instance) else obj
                result = self.run_model(model, f"{candidate}.{name}", inner, args)
                if result is not None:
                    return result
                break
        row = self.effects.method(type_name, name)
        if row is not None:
            return self.apply(row, args, obj, f"{type_name}.{name}")
        if name == "__call__":
            owner = self.effects.type(type_name)
            if owner is not None and owner.call is not None:
                self.call_back(args)
                return self.result(owner.call, owner, {}, args, obj, UNKNOWN)
        return self.unlisted_call(f"{type_name}.{name}", args, obj)

    strict = False
    """Whether a failing model ends the analysis instead of being reported; for the engine's own tests."""

    def run_model(self, model: Any, name: str, *values: Any) -> AnyValue | None:
        """Run a model; one that does not get along with its arguments is reported, not fatal."""
        try:
            return model(self, *values)  # type: ignore[no-any-return]
        except (AttributeError, TypeError, ValueError, LookupError, AssertionError) as error:
            if self.strict:
                raise
            self.opaque(f"the model of {name} does not cover this call ({type(error).__name__})")
            return UNKNOWN

    def inner(self, obj: Instance, type_name: str) -> AnyValue:
        """The container or string inside an object of a class that derives from a built-in one."""
        if not isinstance(obj.cls, ClassV):
            return obj
        value = obj.slots.get(INNER)
        if isinstance(value, Maybe):
            value = value.value
        if value is None:
            kind = type_name.rpartition(".")[2]
            if kind in ("list", "set", "frozenset", "deque", "UserList"):
                value = ListObj("list" if kind == "UserList" else kind)
            elif kind in ("dict", "OrderedDict", "defaultdict", "Counter", "UserDict"):
                value = DictObj("dict")
            else:
                return obj
            value.owner = obj.owner
            self.state.write(obj.slots, INNER, value)
        return value

    def is_a(self, value: AnyValue, type_name: str) -> bool:
        """Whether a value is an object of a library type: a method called through its class gets one in front."""
        if self.effects.type(type_name) is None:
            return False
        names = [type_name_of(option) for option in options(value)]
        return any(name is not None and self.effects.is_subtype(name, type_name) for name in names)

    def type_names(self, name: str) -> list[str]:
        """A library type and its bases."""
        return [name, *(row.name for row in self.effects.linearisation(name))]

    def unlisted_call(self, name: str, args: Arguments, obj: AnyValue | None = None) -> AnyValue:
        """A call of something without a row: what its library's row says, opaque when handed a path."""
        unlisted = self.effects.unlisted(name)
        self.may_raise()
        self.call_back(args)
        if unlisted.opaque and any(looks_like_path(value) for value in args.every()):
            self.opaque(f"{name} is not modelled and is handed a path")
        if obj is not None and isinstance(obj, PathV):
            self.opaque(f"{name} of a path is not modelled")
        if unlisted.returns.form is ReturnForm.SELF and obj is not None:
            return obj
        origin = "unknown" if unlisted.opaque else "data"
        if unlisted.returns.form is ReturnForm.UNKNOWN:
            return Unknown(f"the result of {name}", origin)
        row = self.effects.lookup(unlisted.row) if unlisted.row else None
        return self.result(unlisted.returns, row, {}, args, obj, UNKNOWN)

    def bind_row(self, row: Row, args: Arguments) -> dict[str, AnyValue]:
        """Arguments by the row's parameter names; what is not passed is absent."""
        bound: dict[str, AnyValue] = {}
        params = row.params
        if params is None:
            return dict(args.kw)
        for index, name in enumerate(params.positional):
            if index < len(args.pos):
                bound[name] = args.pos[index]
            elif name in args.kw:
                bound[name] = args.kw[name]
            elif args.star is not None:
                bound[name] = args.star
        extra = args.pos[len(params.positional) :]
        if params.star:
            bound[params.star] = TupleV(extra, args.star)
        for name in params.keyword_only:
            if name in args.kw:
                bound[name] = args.kw[name]
        if params.double_star:
            known = set(params.names)
            bound[params.double_star] = self.dict_of({k: v for k, v in args.kw.items() if k not in known})
        return bound

    def argument(self, row: Row, bound: dict[str, AnyValue], name: str) -> AnyValue | None:
        """The value of a parameter: the argument, or the row's default for it."""
        value = bound.get(name)
        if value is not None and not (isinstance(value, Known) and value.value is None and name in row.defaults):
            return value
        if name in row.defaults:
            default = row.defaults[name]
            if default == "{temporary}":
                return Known(TEMPORARY)
            if default == "{argv}":
                return self.argv
            return Known(default)
        return value

    def holds(self, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None, condition: Condition) -> bool | None:
        """Whether a condition of a row is fulfilled; None where it is undecided."""
        name = condition.param
        given = name in bound
        if name.startswith("self."):
            value = obj.slots.get(name[5:]) if isinstance(obj, Instance) else None
            given = value is not None
        else:
            value = self.argument(row, bound, name)
        answers: set[bool | None] = set()
        for option in options(value) if value is not None else (None,):
            text = path_text(option) if isinstance(option, PathV) else None
            if option is None:
                answers.add(condition.holds(None, given=False))
            elif isinstance(option, PathV) and condition.test is ConditionTest.PATH:
                answers.add(True)
            elif isinstance(text, str):
                answers.add(condition.holds(text, given=given))
            elif isinstance(option, Known):
                answers.add(condition.holds(option.value, given=given))
            elif condition.test is ConditionTest.STRING:
                answers.add(None if isinstance(option, Unknown) else path_text(option) is not None)
            elif condition.test in (ConditionTest.GIVEN, ConditionTest.ABSENT):
                answers.add(None if isinstance(option, Unknown) else condition.test is ConditionTest.GIVEN)
            else:
                answers.add(None)
        return answers.pop() if len(answers) == 1 else None

    def all_hold(
        self, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None, when: tuple[Condition, ...]
    ) -> bool | None:
        """The conjunction of conditions."""
        found = [self.holds(row, bound, obj, condition) for condition in when]
        return False if False in found else (None if None in found else True)

    def apply(self, row: Row, args: Arguments, obj: AnyValue | None, call: str) -> AnyValue:
        """Carry out a row.

        Args:
            row: what to do.
            args: the call's arguments.
            obj: the object whose method it is, if any.
            call: the qualified name to report.
        """
        bound = self.bind_row(row, args)
        if row.has_effect or row.returns is None:
            calls_back = any(self.all_hold(row, bound, obj, callback.when) is not False for callback in row.calls)
            self.may_raise() if calls_back else self.may_raise("OSError")
        else:
            self.may_raise("ValueError", "TypeError", "OSError", "KeyError")
        for effect in row.effects:
            decided = self.all_hold(row, bound, obj, effect.when)
            if decided is False:
                continue
            for value in self.path_values(effect.path, row, bound, obj):
                self.touch(effect.operation, value, call, conditional=decided is None)
        opened: AnyValue | None = None
        mode: AnyValue = Known("r")
        if row.open is not None and self.all_hold(row, bound, obj, row.open.when) is not False:
            opened, mode = self.open_file(row, bound, obj, call)
        for name in row.process:
            self.shared(name, SharedKind.PROCESS, "write", call=call)
        for name in row.reads_process:
            self.shared(name, SharedKind.PROCESS, "read", call=call)
        for name in row.stores:
            if isinstance(obj, Instance) and name in bound:
                held = obj.slots.get("item")
                obj.slots["item"] = bound[name] if held is None else join([held, bound[name]])
        if row.lock in ("acquire", "release") and isinstance(obj, Instance):
            self.lock_call(obj, row.lock)
        result: AnyValue = UNKNOWN
        for callback in row.calls:
            if self.all_hold(row, bound, obj, callback.when) is not False:
                result = self.run_callback(callback, row, bound, obj)
        if row.launch is not None:
            self.launch_process(row, bound, args, call)
        if row.executes is not None:
            executed = self.execute_code(row, bound, call)
            if executed is not None:
                result = executed
        if row.ends:
            raise self.throw("SystemExit")
        if row.kind is Kind.TYPE:
            return self.construct(row, bound, opened, mode)
        if row.params is None:
            # Functions handed to a library that has no row for the parameter are assumed to be called.
            handled = {callback.function.name for callback in row.calls}
            self.call_back(Arguments([value for name, value in bound.items() if name not in handled]))
        if row.returns is None:
            return Unknown(f"the result of {call}", row.origin or "unknown")
        return self.result(row.returns, row, bound, args, obj, result, opened, mode)

    def construct(self, row: Row, bound: dict[str, AnyValue], opened: AnyValue | None, mode: AnyValue) -> AnyValue:
        """A fresh object of a library type."""
        if row.returns is not None and row.returns.form is not ReturnForm.SELF:
            return self.result(row.returns, row, bound, Arguments(), None, UNKNOWN, opened, mode)
        instance = Instance(Ext(row.name))
        for name in row.keep:
            value = self.argument(row, bound, name)
            ignored = isinstance(value, Known) and value.value in row.ignore.get(name, ())
            if value is not None and not ignored:
                instance.slots[name] = value
        if self.call_node is not None and self.frame is not None:
            instance.slots.setdefault("label", Known(f"{self.frame.module.name}.{self.frame.qualname}"))
        if opened is not None:
            instance.slots.setdefault("name", opened)
        return instance

    # Paths

    def touch(self, operation: Operation, value: AnyValue, call: str, *, conditional: bool = False) -> None:
        """Note an access, and what the program now knows about the file."""
        self.access(operation, value, call, conditional=conditional)

    def path_values(
        self, expression: PathExpr, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None
    ) -> list[AnyValue]:
        """The values that a path expression stands for; empty when what it names is absent."""
        if expression.bare:
            piece = expression.parts[0]
            assert isinstance(piece, Piece)
            value = self.piece(piece, row, bound, obj)
            if value is None:
                return []
            return [self.suffixed(piece, value, row)]
        if not any(isinstance(part, Piece) for part in expression.parts):
            return [as_value(make_text([p for part in expression.parts for p in _wild(str(part))]))]
        found: list[TextLike] = [""]
        for part in expression.parts:
            if isinstance(part, str):
                found = [make_text([*parts_of(head), *_wild(part)]) for head in found]
                continue
            value = self.piece(part, row, bound, obj)
            if value is None or (isinstance(value, Known) and value.value is None):
                return []
            pieces: list[TextLike] = []
            for option in self.elements_or_self(value):
                text = path_text(option)
                if text is None:
                    if isinstance(option, Unknown | Scalar | Known):
                        text = render(option)
                    elif isinstance(option, Instance) and (text := self.fspath(option)) is not None:
                        pass
                    else:
                        continue
                pieces.append(text)
            if not pieces:
                return []
            found = [concat(head, piece) for head in found[:64] for piece in pieces[:64]]
        return [as_value(text) for text in found]

    def suffixed(self, piece: Piece, value: AnyValue, row: Row) -> AnyValue:
        """A path with the extension that the library adds."""
        suffix = row.suffix.get(piece.name)
        if suffix is None:
            return value
        unless_any = suffix.startswith("?")
        suffix = suffix.removeprefix("?")
        text = path_text(value)
        if text is None or (text if isinstance(text, str) else text.suffix).endswith(suffix):
            return value
        if unless_any and split_extension(split_last(text)[1])[1] != "":
            return value
        return as_value(concat(text, suffix))

    def elements_or_self(self, value: AnyValue) -> list[AnyValue]:
        """The alternatives of a value; of a list, its elements."""
        out: list[AnyValue] = []
        for option in options(value):
            if isinstance(option, ListObj | TupleV):
                out.extend(option.items)
                if option.rest is not None:
                    out.extend(options(option.rest))
            else:
                out.append(option)
        return out

    def piece(self, piece: Piece, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None) -> AnyValue | None:
        """The value behind a reference; None when it is absent or no path."""
        steps = piece.steps
        if piece.name == "temporary":
            return Known(f"{TEMPORARY}/file")
        if piece.name == "argv":
            return self.argv
        if piece.name == "self":
            if obj is None:
                return None
            value: AnyValue | None = obj
            if steps and isinstance(obj, Instance):
                first = steps[0]
                if first.name in obj.slots:
                    value = obj.slots[first.name]
                    steps = steps[1:]
                elif first.name not in _TRANSFORMS:
                    found = self.get_attr(obj, first.name)
                    value = None if isinstance(found, Method) else found
                    steps = steps[1:]
        else:
            value = self.argument(row, bound, piece.name)
            if isinstance(value, Known) and piece.name in row.ignore and value.value in row.ignore[piece.name]:
                return None
        for step in steps:
            if value is None:
                return None
            value = self.step(value, step, row, bound)
        return value

    def step(self, value: AnyValue, step: Step, row: Row, bound: dict[str, AnyValue]) -> AnyValue | None:
        """One transformation of a path value."""
        if step.name == "each":
            return self.nested(value, (step.argument or "").split("."))
        if step.name == "folder":
            return self.package_folder(value)
        if step.name == "kept":
            owners = [option for option in options(value) if isinstance(option, Instance)]
            remembered = [each for owner in owners if (each := self.kept(owner, step.argument or "")) is not None]
            return join(remembered) if remembered else None
        found = [self.step_text(option, step, row, bound) for option in self.elements_or_self(value)]
        kept = [option for option in found if option is not None]
        return join(kept) if kept else None

    def kept(self, owner: Instance, name: str) -> AnyValue | None:
        """A constructor argument that a library object keeps, or an attribute of it that the tables list."""
        value: AnyValue | None = owner.slots.get(name)
        if value is not None:
            return value
        type_name = type_name_of(owner)
        return None if type_name is None else self.external_attribute(owner, type_name, name)

    def step_text(self, value: AnyValue, step: Step, row: Row, bound: dict[str, AnyValue]) -> AnyValue | None:
        """The text that one step of a path expression gives; None where it gives no path."""
        text = path_text(value)
        if text is None:
            if isinstance(value, Unknown):
                return None if step.name in ("after", "local") else value
            return value if not isinstance(value, Known) else None
        name = step.name
        argument = step.argument or ""
        if name == "name":
            return as_value(split_last(text)[1])
        if name == "parent":
            head = split_last(text)[0]
            return as_value(head if head != "" else ".")
        if name == "stem":
            return as_value(split_extension(split_last(text)[1])[0])
        if name == "suffix":
            return as_value(split_extension(split_last(text)[1])[1])
        if name == "with_suffix":
            return as_value(concat(split_extension(text)[0], argument))
        if name == "with_name":
            head = split_last(text)[0]
            return as_value(join_paths(head, argument) if head != "" else argument)
        if name == "into":
            other = path_text(self.argument(row, bound, argument) or UNKNOWN)
            place = self.in_tree(text)
            trailing = isinstance(text, str) and text.endswith("/")
            known_folder = trailing or (
                place is not None and (self.tree.kind(place) == "folder" or self.made_folder(place))
            )
            if other is None or not known_folder:
                return value
            return as_value(join_paths(text, split_last(other)[1]))
        if name == "after":
            head = text if isinstance(text, str) else text.prefix
            if not head.startswith(argument):
                return None
            return as_value(
                make_text([head[len(argument) :], *parts_of(text)[1:]])
                if not isinstance(text, str)
                else text[len(argument) :]
            )
        if name == "uri":
            first, *rest = parts_of(text) or ("",)
            if not isinstance(first, str) or not first.startswith("file:"):
                return value
            pieces: list[str | Hole] = [first.removeprefix("file:"), *rest]
            for index, piece in enumerate(pieces):
                if isinstance(piece, str) and "?" in piece:
                    pieces[index:] = [piece.partition("?")[0]]
                    break
            return as_value(make_text(pieces))
        if name == "local":
            head = text if isinstance(text, str) else text.prefix
            if isinstance(value, PathV) or head.startswith(("/", "./", "../", "~")):
                return value
            return value if isinstance(text, str) and self.exists(text) else None
        return self.get_attr(value, name)

    def nested(self, value: AnyValue, keys: list[str]) -> AnyValue | None:
        """The values under a key path in nested mappings and lists."""
        if not keys:
            return value
        found: list[AnyValue] = []
        for option in self.elements_or_self(value):
            if isinstance(option, DictObj):
                for key, item in option.known():
                    if keys[0] == "*" or (isinstance(key, Known) and key.value == keys[0]):
                        inner = self.nested(item, keys[1:])
                        if inner is not None:
                            found.append(inner)
        return join(found) if found else None

    def package_folder(self, value: AnyValue) -> AnyValue | None:
        """The folder of a package given as a module or by name."""
        name = value.name if isinstance(value, ModuleV | Ext) else text_of(value)
        if not isinstance(name, str):
            return None
        module = self.import_module(name)
        if isinstance(module, ModuleV):
            return as_value(split_last(join_paths(self.root, module.file) if module.file else self.root)[0])
        return None

    def open_file(
        self, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None, call: str
    ) -> tuple[AnyValue | None, AnyValue]:
        """Open by mode: note the accesses; the opened path and the mode."""
        rule = row.open
        assert rule is not None
        values = self.path_values(rule.path, row, bound, obj)
        if not values:
            return None, Known(rule.default)
        opened = join(values)
        mode: AnyValue = Known(rule.default)
        if rule.flags:
            flags = self.argument(row, bound, rule.flags)
            if isinstance(flags, Known) and isinstance(flags.value, int):
                operations = operations_of_flags(flags.value)
            else:
                operations = (Operation.READ, Operation.UPDATE)
                self.opaque(f"{call} with flags that are not known")
            for operation in operations:
                self.note_open(operation, opened, call)
            return opened, mode
        given = self.argument(row, bound, rule.mode) if rule.mode else None
        if given is not None:
            if rule.mode.startswith("self."):
                given = None
            elif not (isinstance(given, Known) and given.value is None):
                mode = given
        modes = options(mode)
        for option in modes:
            text = text_of(option)
            if isinstance(text, str):
                operations = rule.operations(text)
            elif text is not None and text.prefix[:1] in ("r", "w", "a", "x"):
                operations = rule.operations(text.prefix)
            else:
                self.opaque(f"{call} with a mode that is not known")
                self.note_open(Operation.READ, opened, call, conditional=True)
                self.note_open(Operation.UPDATE, opened, call, conditional=True)
                continue
            for operation in operations:
                self.note_open(operation, opened, call, conditional=len(modes) > 1)
        return opened, mode

    def note_open(self, operation: Operation, value: AnyValue, call: str, *, conditional: bool = False) -> None:
        """Note that a file is opened; reading one that is not there fails, where the program is prepared for it.

        Raises:
            AbstractRaise: a FileNotFoundError.
        """
        if operation is Operation.READ and self.missing_file(value) and self.prepared_for("FileNotFoundError"):
            raise self.throw("FileNotFoundError")
        self.touch(operation, value, call, conditional=conditional)

    def missing_file(self, value: AnyValue) -> bool:
        """Whether a value names a file that is certainly not there."""
        text = path_text(value)
        place = self.in_tree(text) if text is not None else None
        return place is not None and self.absent(place)

    def prepared_for(self, name: str) -> bool:
        """Whether a handler around the present place would take an exception."""
        raised = self.throw(name).value
        return any(catches(kind, raised) for context in self.tries for kind in context.kinds)

    # Results

    def result(  # noqa: C901, PLR0917 - one branch for each form, and all that they need
        self,
        returns: Returns,
        row: Row | None,
        bound: dict[str, AnyValue],
        args: Arguments,
        obj: AnyValue | None,
        called: AnyValue,
        opened: AnyValue | None = None,
        mode: AnyValue | None = None,
    ) -> AnyValue:
        """The value that a `Returns` stands for."""
        form = returns.form
        origin = row.origin if row is not None else ""
        if form is ReturnForm.NONE:
            return NONE
        if form is ReturnForm.UNKNOWN:
            return Unknown(f"the result of {row.name}" if row is not None else "", origin or "data")
        if form is ReturnForm.SELF:
            if obj is not None:
                return obj
            # A class method: the result is an object of the class that has the row.
            owner = self.effects.type(row.name.rpartition(".")[0]) if row is not None else None
            return Instance(Ext(owner.name)) if owner is not None else UNKNOWN
        if form is ReturnForm.CALL:
            return called
        if form is ReturnForm.ITEM:
            held: AnyValue | None = obj.slots.get("item") if isinstance(obj, Instance) else None
            if held is not None:
                return held
            if isinstance(obj, Instance):
                return self.external_item(obj, type_name_of(obj) or "")
            return UNKNOWN
        if form is ReturnForm.HANDLE:
            if returns.path is not None and row is not None:
                values = self.path_values(returns.path, row, bound, obj)
                return self.open_handle(join(values) if values else UNKNOWN, Known(returns.mode or "r"))
            return self.open_handle(opened if opened is not None else UNKNOWN, mode or Known("r"))
        if form is ReturnForm.UNION:
            found: list[AnyValue] = []
            for member in returns.args:
                decided = self.all_hold(row, bound, obj, member.when) if member.when and row is not None else None
                if decided is False:
                    continue
                found.append(self.result(member, row, bound, args, obj, called, opened, mode))
                if decided is True:
                    break
            return join(found)
        if form in (ReturnForm.PATH, ReturnForm.TEXT) and returns.path is not None and row is not None:
            return _path_result(form, self.path_values(returns.path, row, bound, obj), origin or "data")
        if form is ReturnForm.PARAM and returns.piece is not None and row is not None:
            value = self.piece(returns.piece, row, bound, obj)
            return value if value is not None else NONE
        if form is ReturnForm.ELEMENT and returns.piece is not None and row is not None:
            value = self.piece(returns.piece, row, bound, obj)
            return UNKNOWN if value is None else self.any_element(value)
        if form is ReturnForm.DECORATOR:
            return self.decorator(returns, args)
        if form is ReturnForm.TYPE:
            inner = [self.result(arg, row, bound, args, obj, called, opened, mode) for arg in returns.args]
            made = typed(returns.name, inner, origin)
            if inner and isinstance(made, Instance):
                made.slots["item"] = join(inner)
            return made
        return UNKNOWN

    def any_element(self, value: AnyValue) -> AnyValue:
        """Whichever element of a value."""
        content = self.iterate(value)
        every = [*content.items, *([content.rest] if content.rest is not None else [])]
        return join(every) if every else UNKNOWN

    def decorator(self, returns: Returns, args: Arguments) -> AnyValue:
        """A library decorator: the function it is given comes back; one that runs `later` is called."""
        later = returns.mode == "later"

        def run(machine: Any, inner: Arguments) -> AnyValue:
            value = inner.pos[0] if inner.pos else UNKNOWN
            if later:
                machine.call_with_unknowns(value)
            return value

        first = args.pos[0] if args.pos else None
        if isinstance(first, FunctionV | ClassV | BoundMethod) and len(args.pos) == 1 and not args.kw:
            return run(self, args)
        return Native("decorator", run)

    def open_handle(self, path: AnyValue, mode: AnyValue) -> AnyValue:
        """An open file."""
        instance = Instance(Ext(HANDLE))
        instance.slots["name"] = path
        instance.slots["mode"] = mode
        return instance

    def external_attribute(self, obj: Instance, type_name: str, name: str) -> AnyValue | None:
        """An attribute of a library object that the tables list; None when it is a method or unlisted."""
        for candidate in self.type_names(type_name):
            model = registry.METHODS.get(f"{candidate}.@{name}")
            if model is not None:
                return model(self, obj, Arguments())  # type: ignore[no-any-return]
        listed = self.effects.attribute(type_name, name)
        if listed is not None:
            return self.result(listed, self.effects.type(type_name), {}, Arguments(), obj, UNKNOWN)
        if any(f"{c}.{name}" in registry.METHODS for c in self.type_names(type_name)):
            return None
        if self.effects.method(type_name, name) is not None:
            return None
        if self.effects.type(type_name) is not None and not name.startswith("__"):
            unlisted = self.effects.unlisted(f"{type_name}.{name}")
            if unlisted.returns.form is ReturnForm.TYPE and unlisted.returns.name in ("str", "int", "float"):
                return self.result(unlisted.returns, None, {}, Arguments(), obj, UNKNOWN)
        return None

    def external_item(self, obj: Instance, type_name: str) -> AnyValue:
        """What subscripting a library object gives."""
        for row in self.effects.linearisation(type_name):
            if row.item is not None:
                return self.result(row.item, row, {}, Arguments(), obj, UNKNOWN)
        unlisted = self.effects.unlisted(f"{type_name}.__getitem__")
        if unlisted.returns.form is ReturnForm.SELF:
            return Instance(obj.cls) if isinstance(obj.cls, Ext) else UNKNOWN
        self.may_raise()
        return Unknown(f"an element of {type_name}", "data")

    def external_iter(self, obj: Instance, type_name: str) -> TupleV:
        """What iterating over a library object gives."""
        for row in self.effects.linearisation(type_name):
            if row.iter is not None or row.item is not None:
                found = row.iter or row.item
                assert found is not None
                value = self.result(found, row, {}, Arguments(), obj, UNKNOWN)
                if found.form is ReturnForm.ELEMENT:
                    return TupleV((), value)
                return TupleV((), value)
        self.may_raise()
        return TupleV((), Unknown(f"an element of {type_name}", "data"))

    def external_context(self, obj: Instance, type_name: str) -> AnyValue:
        """What `with` binds for a library object."""
        for row in self.effects.linearisation(type_name):
            if row.context is not None:
                return self.result(row.context, row, {}, Arguments(), obj, UNKNOWN)
        return obj

    def listed_value(self, name: str) -> AnyValue | None:
        """The value of a library attribute that the tables list; None for anything else."""
        row = self.effects.lookup(name)
        if row is None or row.kind is not Kind.VALUE:
            return None
        if row.constant is not None:
            return Known(row.constant)
        if row.returns is None:
            return None
        return self.result(row.returns, row, {}, Arguments(), None, UNKNOWN)

    # Locks

    def is_lock(self, value: Instance) -> bool:
        """Whether an object is a lock."""
        name = type_name_of(value)
        return name is not None and any(row.lock == "lock" for row in self.effects.linearisation(name))

    def lock_call(self, obj: Instance, what: str) -> None:
        """acquire() and release()."""
        name = self.lock_name(obj)
        if what == "acquire":
            self.held.append(name)
        elif name in self.held:
            self.held.remove(name)

    # Callbacks

    def run_callback(self, callback: Callback, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None) -> AnyValue:
        """Call a function that was handed to a library."""
        function = callback.function
        if function.name == "self" and obj is not None and function.steps:
            name = function.steps[0].name
            func: AnyValue | None
            if isinstance(obj, Instance) and name in obj.slots:
                func = obj.slots[name]
            elif isinstance(obj, Instance) and self.has_attr(obj, name):
                func = self.get_attr(obj, name)
            else:
                func = self.get_attr(obj, name) if not isinstance(obj, Instance) else Method(obj, name)
        else:
            func = self.argument(row, bound, function.name)
            for step in function.steps:
                if func is None or isinstance(func, Unknown | Known | Scalar):
                    return UNKNOWN
                func = self.get_attr(func, step.name) if self.has_attr(func, step.name) else None
        if func is None or (isinstance(func, Known) and func.value is None):
            return UNKNOWN
        if isinstance(func, Unknown | Known | Scalar):
            return UNKNOWN
        call_args = self.callback_arguments(callback, row, bound, obj)
        if callback.later:
            self.at_exit.append((func, call_args))
            return UNKNOWN
        outer_held = self.held
        if callback.thread or callback.process:
            self.threads += callback.thread
            self.held = []
        starved = self.starved
        try:
            result = self.call(func, call_args)
            if self.starved > starved and not self.ending and (callback.thread or callback.process):
                self.again.append((func, call_args))
        except AbstractRaise:
            self.may_raise()
            result = UNKNOWN
        finally:
            self.held = outer_held
            self.threads -= callback.thread
        if isinstance(result, Awaitable):
            result = result.result
        return result

    def callback_arguments(
        self, callback: Callback, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None
    ) -> Arguments:
        """The arguments that a library passes to a callback."""
        out = Arguments()
        for arg in callback.args:
            self.add_argument(arg, out, row, bound, obj)
        for name, arg in callback.kwargs.items():
            single = Arguments()
            self.add_argument(arg, single, row, bound, obj)
            out.kw[name] = single.pos[0] if single.pos else single.star or UNKNOWN
        if callback.star_kwargs is not None:
            value = self.piece(callback.star_kwargs, row, bound, obj)
            if isinstance(value, DictObj):
                for key, item in value.known():
                    if isinstance(key, Known) and isinstance(key.value, str):
                        out.kw[key.value] = item
                out.kwstar = value.rest
        return out

    def add_argument(
        self, arg: Arg, out: Arguments, row: Row, bound: dict[str, AnyValue], obj: AnyValue | None
    ) -> None:
        """Append one argument of a callback, as its row describes it."""
        if arg.form is ArgForm.UNKNOWN or (arg.piece is None and arg.type is None):
            out.pos.append(Unknown("an argument of a callback", "data"))
            return
        if arg.form is ArgForm.INSTANCE and arg.type is not None:
            out.pos.append(self.result(arg.type, row, bound, Arguments(), obj, UNKNOWN))
            return
        assert arg.piece is not None
        value = self.piece(arg.piece, row, bound, obj)
        if arg.form is ArgForm.VALUE:
            out.pos.append(value if value is not None else NONE)
            return
        if value is None:
            return
        content = self.iterate(value)
        every = [*content.items, *([content.rest] if content.rest is not None else [])]
        if arg.form is ArgForm.ELEMENT:
            if arg.piece.name == (row.params.star if row.params is not None else ""):
                # `map(f, *iterables)`: one argument from each iterable.
                for iterable in every:
                    inner = self.iterate(iterable)
                    found = [*inner.items, *([inner.rest] if inner.rest is not None else [])]
                    out.pos.append(join(found) if found else UNKNOWN)
                return
            out.pos.append(join(every) if every else UNKNOWN)
        elif arg.form is ArgForm.STAR:
            out.pos.extend(content.items)
            if content.rest is not None:
                out.star = content.rest
        else:
            element = join(every) if every else UNKNOWN
            inner = self.iterate(element)
            out.pos.extend(inner.items)
            if inner.rest is not None:
                out.star = inner.rest


_TRANSFORMS = frozenset(
    ["name", "parent", "stem", "suffix", "with_suffix", "with_name", "into", "after", "each", "folder", "local"]
)


def _path_result(form: ReturnForm, values: Sequence[AnyValue], origin: str) -> AnyValue:
    """The paths or texts that a call returns for the path values of its row."""
    if not values:
        return text_hole(origin) if form is ReturnForm.TEXT else PathV(text_hole(origin, slash=True))
    if form is ReturnForm.PATH:
        return join(PathV(pure_path(path_text(value) or render(value))) for value in values)
    return join(as_value(path_text(value) or render(value)) for value in values)


def _wild(text: str) -> list[str | Hole]:
    """Literal text of a path expression with its wildcards as holes."""
    out: list[str | Hole] = []
    rest = text
    while "*" in rest:
        head, _, rest = rest.partition("*")
        out.append(head)
        if rest.startswith("*"):
            rest = rest[1:]
            out.append(Hole("glob", True))
        else:
            out.append(Hole("glob", False))
    out.append(rest)
    return out


def typed(name: str, inner: list[AnyValue], origin: str) -> AnyValue:
    """An unknown value of a type that the tables name."""
    if name == "str":
        return text_hole(origin or "data", slash=origin in ("environment", "argument"))
    if name in _SCALARS:
        return _SCALARS[name]
    first = inner[0] if inner else Unknown("an element of a library's result", origin or "data")
    if name in ("list", "set", "frozenset", "deque"):
        return ListObj(name, (), first)
    if name == "iter":
        return ListObj("iterator", (), first)
    if name == "tuple":
        return TupleV(inner) if len(inner) != 1 else TupleV((), first)
    if name == "dict":
        value = inner[1] if len(inner) > 1 else Unknown("an entry of a library's result", origin or "data")
        return DictObj("dict", None, value)
    if name == "optional":
        return join([NONE, first])
    if name in ("none", "None"):
        return NONE
    if name in ("pathlib.Path", "pathlib.PurePath"):
        return PathV(text_hole(origin or "data", slash=True))
    return Instance(Ext(name))


def type_name_of(value: AnyValue) -> str | None:
    """The library type of a value, as the tables and models name it."""
    if isinstance(value, Known):
        return "builtins.NoneType" if value.value is None else f"builtins.{type(value.value).__name__}"
    if isinstance(value, PathV):
        return value.type
    if isinstance(value, Scalar):
        return f"builtins.{value.kind}"
    if isinstance(value, TupleV):
        return "builtins.tuple"
    if isinstance(value, ListObj):
        if value.kind == "deque":
            return "collections.deque"
        return "builtins.iterator" if value.kind == "iterator" else f"builtins.{value.kind}"
    if isinstance(value, DictObj):
        return "builtins.dict" if value.kind == "dict" else f"collections.{value.kind}"
    if isinstance(value, Instance):
        if isinstance(value.cls, Ext):
            return value.cls.name
        external = next((b for b in value.cls.mro if isinstance(b, Ext) and b.name != "builtins.object"), None)
        return external.name if external is not None else None
    if isinstance(value, FunctionV | BoundMethod | Partial | Native):
        return "types.FunctionType"
    if text_of(value) is not None:
        return "builtins.str"
    return None


__all__ = ["Library", "type_name_of", "typed"]

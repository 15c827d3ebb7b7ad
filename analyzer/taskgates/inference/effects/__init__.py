"""What library calls do to files and to process-wide state, as data."""

from taskgates.inference.effects.errors import EffectProblem, EffectTableError
from taskgates.inference.effects.load import load_effects
from taskgates.inference.effects.model import (
    Arg,
    ArgForm,
    Callback,
    Condition,
    ConditionTest,
    Effect,
    Executes,
    Kind,
    Launch,
    OpenRule,
    Params,
    PathExpr,
    Piece,
    ReturnForm,
    Returns,
    Row,
    Step,
    Unlisted,
)
from taskgates.inference.effects.table import EffectTable

__all__ = [
    "Arg",
    "ArgForm",
    "Callback",
    "Condition",
    "ConditionTest",
    "Effect",
    "EffectProblem",
    "EffectTable",
    "EffectTableError",
    "Executes",
    "Kind",
    "Launch",
    "OpenRule",
    "Params",
    "PathExpr",
    "Piece",
    "ReturnForm",
    "Returns",
    "Row",
    "Step",
    "Unlisted",
    "load_effects",
]

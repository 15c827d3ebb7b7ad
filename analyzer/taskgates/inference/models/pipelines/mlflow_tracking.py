"""MLflow: where a run is recorded follows from the tracking address that the program or the environment sets.

Without one it is the database `mlflow.db`, with artifacts below `mlruns`; where a folder `mlruns` is there already,
that folder. A server records nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgates.inference.models.registry import FUNCTIONS, Machine, function
from taskgates.inference.text import Hole, concat
from taskgates.inference.values import UNKNOWN, AnyValue, Known, as_value, text_of
from taskgates.model.access import Operation

if TYPE_CHECKING:
    from taskgates.inference.objects import Arguments
    from taskgates.inference.text import TextLike

_FOLDER, _DATABASE = "mlruns", "mlflow.db"
_RECORDS = (
    "start_run end_run set_experiment create_experiment log_param log_params log_metric log_metrics set_tag set_tags "
    "log_input delete_tag set_experiment_tag set_experiment_tags"
)
_ARTIFACTS = (
    "log_artifact log_artifacts log_dict log_text log_figure log_image log_table log_trace autolog register_model"
)
_QUERIES = "search_runs search_experiments get_run get_experiment get_experiment_by_name last_active_run"
_FLAVOURS = (
    "catboost fastai keras langchain lightgbm onnx paddle prophet pyfunc pytorch sentence_transformers sklearn spacy "
    "spark statsmodels tensorflow transformers xgboost"
)


def _address(machine: Machine) -> AnyValue | None:
    """The tracking address; None where nothing sets one."""
    found: AnyValue | None = machine.library.get("mlflow")
    if found is None:
        value: AnyValue = machine.env_value("MLFLOW_TRACKING_URI")
        found = None if isinstance(value, Known) and value.value is None else value
    return None if isinstance(found, Known) and not found.value else found


def _places(machine: Machine) -> tuple[TextLike | None, TextLike | None]:
    """The folder and the database of the tracking store; None for what it does not have."""
    address = _address(machine)
    if address is None:
        return (_FOLDER, None) if machine.exists(_FOLDER, "folder") else (_FOLDER, _DATABASE)
    text = text_of(address)
    if not isinstance(text, str):
        machine.opaque("where MLflow records its runs is not known")
        return None, None
    scheme, _, rest = text.partition(":")
    if scheme == "sqlite":
        return _FOLDER, rest.removeprefix("///")
    if scheme == "file":
        return rest.removeprefix("//") or ".", None
    return (None, None) if "://" in text or text.startswith("databricks") else (text, None)


def _record(machine: Machine, call: str, *, write: bool = True, artifacts: bool = False) -> None:
    """What a call does to the store."""
    folder, database = _places(machine)
    if database is not None:
        machine.access(Operation.READ, as_value(database), call)
        if write:
            machine.access(Operation.UPDATE, as_value(database), call)
    if folder is None or (database is not None and not artifacts):
        return
    inside = as_value(concat(folder, "/", Hole("glob", True)))
    if database is None:
        machine.access(Operation.READ, inside, call)
    if write:
        machine.access(Operation.CREATE, inside, call)


def _recording(name: str, *, write: bool = True, artifacts: bool = False) -> None:
    def model(machine: Machine, args: Arguments) -> AnyValue | None:
        del args
        _record(machine, name, write=write, artifacts=artifacts)
        return None

    FUNCTIONS[name] = model


for _name in _RECORDS.split():
    _recording(f"mlflow.{_name}")
for _name in _ARTIFACTS.split():
    _recording(f"mlflow.{_name}", artifacts=True)
for _name in _QUERIES.split():
    _recording(f"mlflow.{_name}", write=False)
for _flavour in _FLAVOURS.split():
    _recording(f"mlflow.{_flavour}.log_model", artifacts=True)
    _recording(f"mlflow.{_flavour}.autolog", artifacts=True)


@function("mlflow.set_tracking_uri")
def set_tracking_uri(machine: Machine, args: Arguments) -> AnyValue | None:
    """`set_tracking_uri(uri)`."""
    machine.library["mlflow"] = args.get(0, "uri") or UNKNOWN
    return None

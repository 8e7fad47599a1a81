"""docs/lambda-api.md is what the code says."""

from pathlib import Path

from lambdash.lambda_api.documentation import page
from lambdash.lambda_api.operation import operations
from lambdash.lambda_api.service_model import operation_model, service_model
from lambdash.lambda_api.unsupported import UNSUPPORTED
from lambdash.lambda_api.validation import _compiled

PAGE = Path(__file__).parents[2] / "docs" / "lambda-api.md"


def test_the_page_is_current() -> None:
    hint = "python -m lambdash.lambda_api.documentation > docs/lambda-api.md"
    assert PAGE.read_text() == page(), hint


def test_nothing_is_both_there_and_refused() -> None:
    assert not operations().keys() & UNSUPPORTED.keys()


def test_what_operations_name_exists() -> None:
    for operation in operations().values():
        shape = operation_model(operation.name).input_shape
        members = set() if shape is None else set(shape.members)
        assert {*operation.stored, *operation.refused} <= members, operation.name


def test_every_pattern_of_the_model_can_be_matched() -> None:
    model = service_model()
    patterns = {model.shape_for(name).metadata.get("pattern") for name in model.shape_names}
    assert [_compiled(pattern) for pattern in patterns if pattern]

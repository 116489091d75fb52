"""A worker's failure, as the control process raises it again."""

import pytest

from mcu import errors
from mcu.cluster.process import _error_of
from mcu.media.messages import Failed


class Namesake(errors.McuError):
    """Another part's error with a code that `mcu.errors` has, and that is made in another way."""

    code = "invalid"

    def __init__(self, detail: str, more: list[str]) -> None:
        super().__init__(detail)


@pytest.mark.parametrize("kind", [errors.Invalid, errors.NotFound, errors.Conflict, errors.Unavailable])
def test_a_failure_is_raised_as_the_class_of_mcu_errors_whose_code_it_has(kind: type[errors.McuError]) -> None:
    raised = _error_of(Failed(code=kind.code, detail="why"))
    assert (type(raised), raised.detail) == (kind, "why")


def test_a_code_that_nobody_knows_is_an_internal_error() -> None:
    assert type(_error_of(Failed(code="no-such-code", detail=""))) is errors.McuError

import pytest

from lambdash.scheduling import asynchronous_retry_delay_s, backoff_delay_s


def test_an_event_is_retried_after_one_minute_and_then_after_two() -> None:
    assert [asynchronous_retry_delay_s(retry) for retry in (1, 2)] == [60.0, 120.0]


@pytest.mark.parametrize(
    ("attempt", "delay_s"), [(1, 1.0), (2, 2.0), (5, 16.0), (9, 256.0), (10, 300.0), (5_000, 300.0)]
)
def test_back_off_doubles_up_to_its_bound(attempt: int, delay_s: float) -> None:
    assert backoff_delay_s(attempt, first_s=1.0, max_s=300.0) == delay_s

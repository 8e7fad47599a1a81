"""How many namespaces are held ahead: replayed bursts, without an engine."""

from hypothesis import given
from hypothesis import strategies as st

from lambdash.engines.docker.pauses import PauseLedger, SpareBounds

BOUNDS = SpareBounds(minimum=2, maximum=16, memory_s=300.0)


def refill(ledger: PauseLedger, now: float, name: str = "p") -> int:
    """Make what is missing, at once; how many."""
    made = 0
    while ledger.missing(now):
        ledger.begin()
        ledger.made(f"{name}{made}")
        made += 1
    return made


def test_the_minimum_is_held_before_anyone_asks() -> None:
    ledger = PauseLedger(BOUNDS)
    assert refill(ledger, 0.0) == 2
    assert not ledger.missing(0.0)


def test_a_pause_has_one_owner_at_a_time() -> None:
    ledger = PauseLedger(BOUNDS)
    refill(ledger, 0.0)
    first, second = ledger.take(1.0), ledger.take(1.0)
    assert {first, second} == {"p0", "p1"}
    assert ledger.take(1.0) is None
    ledger.give_back(first)
    assert ledger.take(2.0) == first


def test_a_burst_is_covered_the_next_time() -> None:
    ledger = PauseLedger(BOUNDS)
    refill(ledger, 0.0)
    taken = [ledger.take(1.0) for _ in range(12)]
    assert taken.count(None) == 10
    refill(ledger, 2.0, "more")
    for pause in taken:
        ledger.give_back(pause)
    assert None not in [ledger.take(3.0) for _ in range(12)]


def test_a_burst_is_forgotten() -> None:
    ledger = PauseLedger(BOUNDS)
    for pause in [ledger.take(1.0) for _ in range(12)]:
        ledger.give_back(pause)
    refill(ledger, 2.0)
    assert len(ledger.spare) == 12
    assert ledger.surplus(300.0) == []
    assert len(ledger.surplus(302.0)) == 10
    assert len(ledger.spare) == 2


def test_a_burst_beyond_the_maximum_is_bounded() -> None:
    ledger = PauseLedger(BOUNDS)
    for _ in range(100):
        ledger.take(1.0)
    assert refill(ledger, 1.0) == 16


def test_a_dead_pause_is_lent_to_nobody() -> None:
    ledger = PauseLedger(BOUNDS)
    refill(ledger, 0.0)
    owned = ledger.take(1.0)
    assert owned is not None
    ledger.lost(owned)
    ledger.lost("p1")
    ledger.give_back(owned)
    assert ledger.all() == ()
    assert ledger.missing(1.0) == 2


def test_a_pause_that_could_not_be_made_is_missing_again() -> None:
    ledger = PauseLedger(BOUNDS)
    ledger.begin()
    assert ledger.missing(0.0) == 1
    ledger.made(None)
    assert ledger.missing(0.0) == 2


def test_a_drained_ledger_takes_nothing_back() -> None:
    ledger = PauseLedger(BOUNDS)
    refill(ledger, 0.0)
    owned = ledger.take(0.0)
    assert sorted(ledger.drain()) == ["p0", "p1"]
    ledger.give_back(owned)
    assert ledger.all() == ()


@given(st.lists(st.sampled_from(["take", "give", "die", "make", "trim", "wait"]), max_size=80))
def test_whatever_happens(steps: list[str]) -> None:
    """No pause has two owners, counts never go below zero, spares stay within the bounds."""
    ledger, held, now, made = PauseLedger(BOUNDS), list[str | None](), 0.0, 0
    for step in steps:
        now += 0.1
        if step == "take":
            held.append(ledger.take(now))
        elif step == "give" and held:
            ledger.give_back(held.pop(0))
        elif step == "die" and ledger.all():
            ledger.lost(ledger.all()[-1])
        elif step == "make" and ledger.missing(now):
            ledger.begin()
            ledger.made(f"p{made}")
            made += 1
        elif step == "trim":
            ledger.surplus(now)
        elif step == "wait":
            now += 200.0
        owned = [pause for pause in held if pause is not None]
        assert len(owned) == len(set(owned))
        assert not set(owned) & set(ledger.spare)
        assert ledger.held == len(held)
        assert BOUNDS.minimum <= ledger.wanted(now) <= BOUNDS.maximum
        assert not (ledger.missing(now) and ledger.excess(now))

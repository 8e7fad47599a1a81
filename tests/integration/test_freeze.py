"""``freeze: true`` as a user meets it, on both engines."""

from tests.integration.project import Project

SOURCE = """
import threading, time

gaps, ended = [0.0], [0.0]

def tick():
    last = time.monotonic()
    while True:
        time.sleep(0.002)
        now = time.monotonic()
        gaps.append(now - last)
        last = now

threading.Thread(target=tick, daemon=True).start()

def handler(event, context):
    between = time.monotonic() - ended[0]
    while event["n"] and max(gaps) < between / 2:  # the thread has not had its turn yet
        time.sleep(0.001)
    ended[0] = time.monotonic()
    return {"n": event["n"], "ticks": len(gaps)}
"""


def test_a_thread_stands_still_until_the_next_invocation(project: Project) -> None:
    """It ticks every 2 ms; frozen, one tick lasts for the time between two invocations."""
    project.write({"still/app.py": SOURCE})
    project.describe({"still": {"freeze": True}})
    for number in range(3):
        answer = project.invoke("still", {"n": number})
        assert answer["payload"]["n"] == number, answer
    assert answer["start"] == "warm"

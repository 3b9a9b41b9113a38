"""`tmem check-trace`: the exit codes, and one clear line for a file that is no history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tmem.conformance.cli.main import main
from tmem.conformance.history.calls import Call
from tmem.conformance.history.trace.format import line_of
from tmem.spec.operations import SIGNATURES

SLOT = (1, 0, 7, 3)
CALLS = [
    Call(0, 0, 1, "new_pool", (1, 0x01000000, None), 0),
    Call(0, 2, 5, "put", (*SLOT, b"a"), True),
    Call(1, 3, 6, "get", SLOT, b"a"),
    Call(0, 7, 8, "get", SLOT, b"a"),
]


def run(path: Path, text: str, *options: str) -> tuple[int, str]:
    path.write_text(text, "utf-8")
    result = CliRunner().invoke(main, ["check-trace", str(path), *options])
    return result.exit_code, result.output


def lines(calls: list[Call]) -> str:
    return "".join(f"{line_of(call)}\n" for call in calls)


def test_a_legal_history_passes(tmp_path: Path) -> None:
    code, output = run(tmp_path / "trace", lines(CALLS[:3]))
    assert (code, "3 calls can have happened" in output) == (0, True)


def test_an_illegal_one_fails_with_its_window(tmp_path: Path) -> None:
    code, output = run(tmp_path / "trace", lines(CALLS))
    assert code == 1
    assert "TMEM-GET-2" in output
    assert output.count("thread") == len(CALLS)


@pytest.mark.parametrize("text", ["no json\n", '{"op": 3}\n', "[]\n"])
def test_what_is_no_history_gets_one_line(tmp_path: Path, text: str) -> None:
    code, output = run(tmp_path / "trace", text)
    assert code == 2
    assert "line 1" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_history_of_no_calls_is_none(tmp_path: Path, text: str) -> None:
    code, output = run(tmp_path / "trace", text)
    assert code == 2
    assert f"{tmp_path / 'trace'} holds no call" in " ".join(output.split())
    for file in ("-", "/dev/null"):
        result = CliRunner().invoke(main, ["check-trace", file], input=text)
        assert (result.exit_code, f"{file} holds no call" in result.output) == (2, True)
    assert "PASS" not in output + result.output


def test_times_are_shown_as_they_were_given(tmp_path: Path) -> None:
    start = 1_234_567_890_123_456
    calls = [call._replace(begin=start + call.begin, end=start + (call.end or 0)) for call in CALLS]
    code, output = run(tmp_path / "trace", lines(calls))
    assert code == 1
    assert f"  thread 1  {start + 3} to {start + 6}  get(1, 0, 7, 3) → '61'\n" in output


def test_a_missing_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["check-trace", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "No such file" in result.output


INVALID, NO_POOL, NO_ROOM, BROKEN = ({"errno": 22}, {"errno": 19}, {"errno": 12}, {"raised": "KeyError"})
OUT_OF_RANGE = [(1, 0, 7, -1), (1, 0, 7, 1 << 32), (1, 0, -7, 3), (1, 0, 1 << 192, 3)]


def line(op: str, args: tuple[object, ...], answer: object) -> str:
    names = SIGNATURES[op].arguments
    return json.dumps(
        {"op": op, "thread": 0, **dict(zip(names, args, strict=True)), "begin": 2, "end": 3, "answer": answer}
    )


@pytest.mark.parametrize("place", OUT_OF_RANGE)
@pytest.mark.parametrize(
    ("op", "right", "wrong"),
    [
        ("put", INVALID, True),
        ("put", INVALID, False),
        ("put", NO_POOL, BROKEN),
        ("put", NO_POOL, NO_ROOM),
        ("get", INVALID, "page"),
        ("get", {"raised": "ValueError"}, None),
        ("flush_page", {"raised": "OverflowError"}, True),
    ],
)
def test_arguments_out_of_range_must_be_refused(
    tmp_path: Path, op: str, place: tuple[int, ...], right: object, wrong: object
) -> None:
    args = (*place, "page") if op == "put" else place
    assert run(tmp_path / "trace", line(op, args, right))[0] == 0
    code, output = run(tmp_path / "trace", lines(CALLS[:1]) + line(op, args, wrong))
    assert (code, "TMEM-ARG-1" in output, "out of range" in output) == (1, True, True)


@pytest.mark.parametrize(
    ("op", "args", "answer", "clause"),
    [
        ("flush_object", (1, 0, -1), True, "TMEM-ARG-1"),
        ("put", (1, 0, 7, 3, ""), True, "TMEM-ARG-1"),
        ("put", (1, 0, 7, 3, "page"), BROKEN, "TMEM-ERR-1"),
        ("put", (1, 0, 7, 3, "page"), {"raised": "ValueError"}, "TMEM-ERR-1"),
        ("get", (1, 0, 7, 3), {"errno": 5}, "TMEM-ERR-1"),
        ("destroy_pool", (1, 0), {"errno": 104}, "TMEM-ERR-1"),
        ("reclaim", (5,), -1, "TMEM-ERR-1"),
        ("new_pool", (1, 0x0100_0100, None), 0, "TMEM-POOL-4"),
        ("new_pool", (1, 0x0200_0000, None), 0, "TMEM-POOL-4"),
        ("new_pool", (1, 0x0100_0004, None), INVALID, "TMEM-POOL-4"),
        ("new_pool", (1, 1 << 32, None), 0, "TMEM-POOL-4"),
    ],
)
def test_each_answer_is_judged_on_its_own(
    tmp_path: Path, op: str, args: tuple[object, ...], answer: object, clause: str
) -> None:
    code, output = run(tmp_path / "trace", line(op, args, answer))
    assert (code, clause in output, "Traceback" in output) == (1, True, False)


@pytest.mark.parametrize("flags", [0, 0x0100_0000, 0x0100_0021, 0x0100_0003])
def test_flags_of_any_page_size_may_be_granted(tmp_path: Path, flags: int) -> None:
    assert run(tmp_path / "trace", line("new_pool", (1, flags, 5), 0))[0] == 0
    refused = line("new_pool", (1, 0x0100_0100, None), {"errno": 1})
    assert run(tmp_path / "trace", refused)[0] == 0


def test_calls_of_one_thread_that_overlap_are_refused(tmp_path: Path) -> None:
    same = [call._replace(thread=4) for call in CALLS[:3]]
    code, output = run(tmp_path / "trace", lines(same))
    assert (code, "Traceback" in output) == (2, False)
    assert "line 3: thread 4 begins a call at 3 during that of line 2, which took from 2 to 5" in output
    gave_up = [same[0], same[1]._replace(end=None), same[2]]
    assert run(tmp_path / "trace", lines(gave_up))[0] == 0, "who never got an answer may go on"
    touching = [same[0], same[1], same[2]._replace(begin=5)]
    assert run(tmp_path / "trace", lines(touching[::-1]))[0] == 0, "in any order of lines"


def test_the_page_shows_what_contradicts_in_a_diagram(tmp_path: Path) -> None:
    code, _ = run(tmp_path / "trace", lines(CALLS), "--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text("utf-8")
    assert code == 1
    assert "thread 0: #4 get(1, 0, 7, 3) → &#x27;61&#x27;, which breaks the contract" in page
    assert "No order of the calls explains this answer: the slot holds nothing" in page
    assert 'class="bar broken"' in page


def test_a_legal_history_has_a_page_too(tmp_path: Path) -> None:
    code, _ = run(tmp_path / "trace", lines(CALLS[:3]), "--html", str(tmp_path / "page.html"))
    assert code == 0
    assert "3 calls can have happened one at a time." in (tmp_path / "page.html").read_text("utf-8")

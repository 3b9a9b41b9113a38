"""The reclaim order against a plain list."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tmem.impl import order as order_module
from tmem.impl.order import SLACK, SWEEP, Order
from tmem.impl.pool import Object


def an_object(pool=None) -> Object:
    return Object(pool or SimpleNamespace(ended=False), 7)


def pop_live(order: Order) -> tuple[Object, int] | None:
    while (entry := order.pop()) is not None:
        if not order.drop_if_stale(*entry):
            order.pages -= 1
            return entry
    return None


STEP = st.tuples(
    st.sampled_from(["put", "put", "put", "take", "touch", "reclaim", "flush object", "pass over", "tidy"]),
    st.integers(0, 2),
    st.integers(0, 2),
)


@pytest.mark.parametrize(
    ("slack", "sweep"), [(SLACK, SWEEP), (0, 3), (-100, 1)], ids=["as it is", "few", "always"]
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=20, max_size=300))
def test_pages_come_out_oldest_first(slack, sweep, steps, monkeypatch):
    monkeypatch.setattr(order_module, "SLACK", slack)
    monkeypatch.setattr(order_module, "SWEEP", sweep)
    order, objects, held = Order(), [an_object() for _ in range(3)], []
    for does, which, index in steps:
        page = (objects[which], index)
        if does == "put":
            if page in held:
                order.remove(*page)
                held.remove(page)
            order.append(*page)
            held.append(page)
        elif does == "take" and page in held:
            order.remove(*page)
            held.remove(page)
        elif does == "touch" and page in held:
            order.touch(*page)
            held.append(held.pop(held.index(page)))
        elif does == "reclaim":
            assert pop_live(order) == (held.pop(0) if held else None)
        elif does == "flush object":
            order.remove_object(page[0], sum(obj is page[0] for obj, _ in held))
            held = [one for one in held if one[0] is not page[0]]
            objects[which] = an_object()
        elif does == "pass over" and held:
            entry = pop_live(order)
            order.push_back(*entry)
            order.pages += 1
        elif does == "tidy":
            order.tidy(which + 1)
        assert order.pages == len(held)
    assert [pop_live(order) for _ in held] == held
    assert pop_live(order) is None
    assert order.stale == 0


def test_stale_entries_stay_few_whatever_goes_and_stays():
    order, obj = Order(), an_object()
    for index in range(100):
        order.append(obj, index)  # these stay, before all that go
    for round_ in range(5_000):
        order.append(obj, 1_000 + round_)
        order.remove(obj, 1_000 + round_)
        assert order.stale <= 2 * (order.pages + SLACK)
    assert len(obj.stale) <= order.stale
    assert [pop_live(order) for _ in range(100)] == [(obj, index) for index in range(100)]


def test_a_page_that_is_put_over_while_a_sweep_goes_on_is_the_youngest():
    order, obj = Order(), an_object()
    for index in range(400):
        order.append(obj, index)
    going = reversed(range(400))
    while not order._old.objects:
        order.remove(obj, next(going))
    order.touch(obj, 0)
    while order._old.objects:
        order.remove(obj, next(going))
    assert pop_live(order) == (obj, 1)


def test_all_entries_of_a_pool_that_ended_are_stale():
    pool = SimpleNamespace(ended=False)
    order, dead, alive = Order(), an_object(pool), an_object()
    for index in range(10):
        order.append(dead, index)
    order.append(alive, 3)
    pool.ended = True
    order.remove_pages(10)
    assert pop_live(order) == (alive, 3)
    assert (order.pages, order.stale) == (0, 0)


@pytest.mark.parametrize("what", ["objects", "pools"])
def test_entries_stay_few_whatever_went_with_the_pages(what):
    order, stays = Order(), an_object()
    for index in range(100):
        order.append(stays, index)
    for _ in range(1_000):
        pool = SimpleNamespace(ended=False)
        obj = an_object(pool)
        for index in range(3):
            order.append(obj, index)
        if what == "objects":
            order.remove_object(obj, 3)
        else:
            pool.ended = True
            order.remove_pages(3)
        entries = len(order._young.objects) + len(order._old.objects)
        assert entries == order.pages + order.stale <= 3 * (order.pages + SLACK)
    assert [pop_live(order) for _ in range(100)] == [(stays, index) for index in range(100)]

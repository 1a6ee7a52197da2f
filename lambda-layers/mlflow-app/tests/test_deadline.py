"""The deadline: no call and no pause begins that could eat into the 30 seconds of the answer."""

import pytest
from virtual_time import Context

from custom_resource.clock import CALL_SECONDS
from custom_resource.errors import DeadlineNear
from mlflow_app.handler import deadline_of
from mlflow_app.service import client

ANSWER = 30


def test_one_call_takes_no_longer_than_is_reckoned_with(stage):
    config = client().meta.config
    assert config.connect_timeout + config.read_timeout <= CALL_SECONDS
    assert config.retries["total_max_attempts"] == 1


def test_a_call_begins_only_with_time_for_it_and_the_answer(clock):
    deadline_of(Context(clock, ANSWER + CALL_SECONDS), clock).check()
    with pytest.raises(DeadlineNear):
        deadline_of(Context(clock, ANSWER + CALL_SECONDS - 1), clock).check()


def test_a_pause_begins_only_with_time_for_a_call_and_the_answer_after_it(clock):
    deadline = deadline_of(Context(clock, ANSWER + CALL_SECONDS + 20), clock)
    deadline.sleep(15)
    with pytest.raises(DeadlineNear):
        deadline.sleep(15)
    assert clock.sleeps == [15]


def test_the_error_names_what_was_going_on_and_the_way_out(clock):
    deadline = deadline_of(Context(clock, 1), clock)
    deadline.doing = "waiting for app x"
    with pytest.raises(DeadlineNear, match="nearly over while waiting for app x\nhint: .* 900 seconds"):
        deadline.check()

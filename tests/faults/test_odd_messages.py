"""A worker goes on after what is no message, wherever in Redis that is."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from kombu.connection import Connection
from kombu.transport import redis as kombu_redis
from kombu.transport import virtual
from redis import Redis

from connections_project.celery import app, run_periodic_task
from connections_project.core import redis_transport
from connections_project.core.periodic import periodic_task_of
from connections_project.revocation.models import RevocationJob
from connections_project.revocation.worker import process_revocations
from tests.faults.conftest import Deploy
from tests.support.bank import Bank
from tests.support.deployment import wait_until
from tests.support.revocation_jobs import make_jobs

QUEUE = "connections"
TASK = periodic_task_of(process_revocations).name
PICKLE = "application/x-python-serialize"


def message(**changed: Any) -> dict[str, Any]:
    delivery = {"exchange": "", "routing_key": QUEUE}
    properties = {"delivery_tag": "a-tag", "delivery_info": delivery, "body_encoding": "base64"}
    return {
        "body": "W1tdLCB7fSwge31d", "content-type": "application/json",
        "content-encoding": "utf-8", "headers": {}, "properties": properties,
    } | changed  # fmt: skip


ODD: dict[str, bytes | str] = {
    "text": "garbage",
    "bytes": b"\xff\x00\x80",
    "nothing": "",
    "a pickle": b"\x80\x04]\x94.",
    "nested too deeply": "[" * 100_000,
    "an odd type": '{"__type__": "uuid", "__value__": {"hex": 1}}',
    **{text: text for text in ("{}", "[]", "1", "null", '"text"')},
    "no tag": json.dumps(message(properties={})),
    "no address": json.dumps(message(properties={"delivery_tag": "b-tag"})),
    "a number for a body": json.dumps(message(body=1)),
    "a body that isn't base64": json.dumps(message(body="!")),
    "a body that can't be known": json.dumps(message(**{"content-type": "application/x-odd"})),
    "a pickle for a body": json.dumps(message(**{"content-type": PICKLE})),
    "a list for a task": json.dumps(message(headers={"task": []})),
    "an unknown task": json.dumps(message(headers={"task": "odd", "id": "1"})),
    "a task without an id": json.dumps(message(headers={"task": run_periodic_task.name})),
    "a list for headers": json.dumps(message(headers=[])),
}  # fmt: skip


@pytest.fixture
def broker(settings: LazySettings) -> Any:
    return Redis.from_url(settings.REDIS_URL)


def broker_of(settings: LazySettings) -> Any:
    made: Any = Connection
    return made(settings.REDIS_URL)


@pytest.mark.django_db(transaction=True)
def test_a_worker_goes_on(
    bank: Bank,
    use_catalogue: Callable[..., None],
    deploy: Deploy,
    broker: Any,
    settings: LazySettings,
) -> None:
    use_catalogue(bank.catalogue("bank", revocation='tokens = ["refresh_token"]'), "bank")
    with deploy().workers() as (worker,):
        broker.sadd(f"_kombu.binding.{QUEUE}", "garbage")
        for odd in ODD.values():
            broker.lpush(QUEUE, odd)
        wait_until(lambda: not broker.llen(QUEUE), why=worker.said)
        make_jobs("bank", "a-token")
        with broker_of(settings) as connection:
            app.send_task(run_periodic_task.name, [TASK], connection=connection)
        wait_until(lambda: RevocationJob.objects.filter(state="revoked").exists(), why=worker.said)
        wait_until(lambda: not broker.hlen("unacked"), why=worker.said)
        assert worker.process.poll() is None
        assert "Unrecoverable" not in worker.said()
        assert worker.said().count("no message (JSONDecodeError)") == 4


def test_what_a_lost_worker_left_is_restored_without_it(
    broker: Any, settings: LazySettings
) -> None:
    good = json.dumps([message(), "", QUEUE])
    left = {"one": "garbage", "two": "[]", "three": json.dumps([[], "", QUEUE]), "four": good}
    broker.hset("unacked", mapping=left)
    broker.zadd("unacked_index", dict.fromkeys([*left, "five"], 1))
    with broker_of(settings) as connection, connection.channel() as channel:
        channel.qos.restore_visible(interval=1)
    assert (broker.hlen("unacked"), broker.zcard("unacked_index")) == (0, 0)
    assert json.loads(broker.lpop(QUEUE))["properties"]["delivery_tag"] == "a-tag"


@pytest.mark.parametrize(
    ("base", "ours"),
    [
        (kombu_redis.Channel, redis_transport.Channel),
        (kombu_redis.QoS, redis_transport.QoS),
        (virtual.Transport, redis_transport.Transport),
    ],
)
def test_what_it_overrides_is_there(base: type, ours: type) -> None:
    assert [name for name in vars(ours) if not hasattr(base, name)] == []

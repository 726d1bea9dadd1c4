"""Owns a market on resources that CloudFormation made: worker and API of this process, each call asked of its role."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib.storage import settings
from chalicelib.storage.schema import KEYS
from functions.wiring import FUNCTIONS, Api, Function
from infrastructure.data import key_export
from infrastructure.policies import Policies, asked_of_iam
from local.market import ACCOUNT, Market, Place, _log_to
from local.steps import Steps

_acting: ContextVar[Function | None] = ContextVar("acting", default=None)


class Deployed(Market):
    """`allowed` calls so far, those `refused`, and the `callers` that made any."""

    def __init__(self, place: Place, folder: Path, exports: Mapping[str, str]) -> None:
        super().__init__(place)
        region = os.environ["AWS_REGION"]
        self._where = {"AWS::Region": region, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws"}
        data = f"Headroom-{settings.stage()}-Data"
        self._where |= {settings.key_alias(key.name): exports[f"{data}-{key_export(key.name)}"] for key in KEYS}
        self._policies = Policies(folder, self._where, exports)
        self._counting = threading.Lock()
        self.allowed, self.refused, self.callers = 0, set[str](), set[str]()

    def start(self, steps: Steps) -> None:
        from chalicelib.storage.clients import forget_clients

        os.environ["HEADROOM_WEB_ORIGIN"] = self.place.address
        self.place.folder.joinpath("log").mkdir(exist_ok=True)
        _log_to(self.place.folder / "log" / "market.log")
        forget_clients()
        boto3.DEFAULT_SESSION.events.register("provide-client-params", self._check)  # type: ignore[union-attr]
        with steps.step("opening the API"):
            self._open_site()
        with steps.step("starting the functions"):
            self._recover()
            self._worker.start()
            self._server.start()
            self._wait_until_it_answers()

    def _open_site(self) -> None:
        from app import app
        from local.web import Server, Site
        from local.worker import Worker

        self._worker = Worker(self.clock)
        for poller in self._worker._pollers:
            poller._handler = _acted(poller.function, poller._handler)
        site = Site(app, self.clock, self._worker, ACCOUNT, self.logins)
        api = next(function for function in FUNCTIONS if isinstance(function.trigger, Api))
        site._gateway = _acted(api, site._gateway)  # type: ignore[assignment]
        self._server = Server(site, self.place.port)

    def _check(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        """Refuse what the acting function's role does not allow, as AWS would."""
        function = _acting.get()
        if function is None:
            return
        asked = asked_of_iam(self._where, model.service_model.service_name, model.name, params)
        missing = self._policies.missing(function, asked)
        with self._counting:
            self.callers.add(function.name)
            self.allowed += not missing
            self.refused |= {f"{function.name}: {action} on {resource}" for action, resource in missing}
        if missing:
            denied = {"Code": "AccessDeniedException", "Message": f"{function.name} may not {missing}"}
            raise ClientError({"Error": denied}, model.name)


def _acted(function: Function, act: Callable[..., Any]) -> Callable[..., Any]:
    def acting(*args: Any) -> Any:
        with _as(function):
            return act(*args)

    return acting


@contextmanager
def _as(function: Function) -> Iterator[None]:
    token = _acting.set(function)
    try:
        yield
    finally:
        _acting.reset(token)

"""What the manifest connects a function to, written down as the API keeps it.

So the API reports it, and what answers at URLs and delivers events has one place to look at. Only
what an earlier deploy of the manifest made is taken away; what the API made stays.
"""

import uuid
from datetime import datetime
from typing import Any

from lambdash import limits
from lambdash.emulator.asynchronous import settings as event_settings
from lambdash.emulator.registry import Registry
from lambdash.model.connections import Connections, Cors, FunctionUrl

URL_KIND = "url"


def connect(
    registry: Registry, name: str, old: Connections, new: Connections, now: datetime
) -> None:
    """Bring the registry's settings of ``$LATEST`` from what was deployed to what is now."""
    if new.url is not None:
        known = registry.setting(URL_KIND, name) or {}
        registry.put_setting(URL_KIND, name, _url(new.url, known, now))
    elif old.url is not None:
        registry.remove_setting(URL_KIND, name)
    config = _event_invoke_config(new, now)
    if config is not None:
        registry.put_setting(event_settings.KIND, name, config)
    elif _event_invoke_config(old, now) is not None:
        registry.remove_setting(event_settings.KIND, name)


def _url(url: FunctionUrl, known: Any, now: datetime) -> dict[str, Any]:
    """An URL once given stays; the rest is what the manifest says."""
    moment = f"{now:%Y-%m-%dT%H:%M:%S.%f}Z"
    document: dict[str, Any] = {
        "UrlId": known.get("UrlId") or uuid.uuid4().hex,
        "AuthType": "NONE",
        "InvokeMode": url.invoke_mode,
        "CreationTime": known.get("CreationTime") or moment,
        "LastModifiedTime": moment,
    }
    if url.cors is not None:
        document["Cors"] = _cors(url.cors)
    return document


def _cors(cors: Cors) -> dict[str, Any]:
    found: dict[str, Any] = {
        "AllowOrigins": list(cors.allow_origins),
        "AllowMethods": list(cors.allow_methods),
        "AllowHeaders": list(cors.allow_headers),
        "ExposeHeaders": list(cors.expose_headers),
        "AllowCredentials": cors.allow_credentials,
        "MaxAge": cors.max_age_s,
    }
    return {name: value for name, value in found.items() if value not in ([], None)}


def _event_invoke_config(connections: Connections, now: datetime) -> dict[str, Any] | None:
    """``FunctionEventInvokeConfig``; None where all is as AWS has it."""
    targets = {
        name: {"Destination": target}
        for name, target in (
            ("OnSuccess", connections.on_success),
            ("OnFailure", connections.on_failure),
        )
        if target is not None
    }
    retries, age_s = connections.maximum_retry_attempts, connections.maximum_event_age_s
    usual = (limits.ASYNC_RETRY_ATTEMPTS_DEFAULT, limits.ASYNC_EVENT_AGE_MAX_S)
    if not targets and (retries, age_s) == usual:
        return None
    return {
        "MaximumRetryAttempts": retries,
        "MaximumEventAgeInSeconds": age_s,
        "DestinationConfig": targets,
        "LastModified": now.timestamp(),
    }

"""``image_build``: make a runtime's base image from this machine's own interpreter."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from lambdash.daemon.control import EventStream, Verb
from lambdash.daemon.services import Services, text_of
from lambdash.engines.images.host_image import machine_architecture
from lambdash.errors import CallerError


def verbs(services: Services) -> Mapping[str, Verb]:
    """The verbs of this module."""
    return {"image_build": partial(_build, services)}


async def _build(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    if not body.get("from_host"):
        raise CallerError(
            "image-source-missing",
            "`image build` needs to know what to build from",
            "`--from-host` uses this machine's own interpreter, the only source there is yet",
        )
    begun = time.monotonic()
    architecture = str(body.get("architecture") or machine_architecture())
    image = await services.engine.build_from_host(
        text_of(body, "runtime"), architecture, stream.progress
    )
    return {
        "reference": image.reference,
        "digest": image.digest,
        "seconds": round(time.monotonic() - begun, 2),
    }

"""What a deploy makes beside the functions, and where functions can be reached."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from lambdash.daemon.catalog import Catalog
from lambdash.emulator.connections import URL_KIND
from lambdash.emulator.emulator import Emulator
from lambdash.emulator.mappings.declared import declare
from lambdash.front_doors.http_api import HttpApi
from lambdash.model.connections import SqsSource


class Doors:
    """``refresh`` makes the manifest's resources, and follows what is deployed."""

    def __init__(self, emulator: Emulator, catalog: Catalog, http_api: HttpApi) -> None:
        self._emulator = emulator
        self._catalog = catalog
        self._http_api = http_api
        self._refreshing = asyncio.Lock()

    async def make_resources(self) -> None:
        """The manifest's queues, with the attributes it gives them; others keep theirs."""
        for queue in self._catalog.manifest().queues:
            await self._emulator.queues.ensure(queue.name, dict(queue.attributes))

    async def refresh(self) -> None:
        """Take the routes and the sources of what is deployed now. Raises ``PlatformError``."""
        async with self._refreshing:
            await self._http_api.refresh()
            sources = {
                name: [
                    source
                    for source in deployed.function.connections.event_sources
                    if isinstance(source, SqsSource)
                ]
                for name, deployed in self._emulator.functions.items()
            }
            await declare(self._emulator.mappings, self._emulator.place, sources)

    def urls(self, endpoint: str) -> list[dict[str, Any]]:
        """Every URL and route: ``function``, ``kind``, ``method`` and ``url``."""
        registry = self._emulator.registry
        port = urlsplit(endpoint).port
        found = [
            {
                "function": name if qualifier.startswith("$") else f"{name}:{qualifier}",
                "kind": "url",
                "method": "ANY",
                "url": f"http://{document['UrlId']}.lambda-url.{self._emulator.place.region}"
                f".localhost:{port}/",
            }
            for name in registry.functions
            for qualifier, document in registry.settings(URL_KIND, name).items()
        ]
        base = self._http_api.url
        if base is not None:
            found += [
                {
                    "function": route.function_name,
                    "kind": "http",
                    "method": route.method,
                    "url": base + ("/" if route.path.startswith("$") else route.path),
                }
                for route in self._http_api.routes
            ]
        return found

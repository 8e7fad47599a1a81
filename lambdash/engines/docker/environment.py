"""What of the user's own surroundings reaches containers: proxies and certificate bundles."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
# The Runtime API is at 127.0.0.1 inside: no proxy may see those requests.
_NEVER_PROXIED = ("127.0.0.1", "localhost")
BUNDLE_FOLDER = "/var/lambdash/certificates"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One bundle: ``source`` on this machine, ``variables`` that name it."""

    source: Path
    variables: tuple[str, ...]

    def target(self, index: int) -> str:
        """Where bundle number ``index`` lies in a container."""
        return f"{BUNDLE_FOLDER}/{index}/bundle.pem"


@dataclass(frozen=True, slots=True)
class EngineEnvironment:
    """``proxies`` are ready variables, in both cases; every one yields to the function's own."""

    proxies: tuple[tuple[str, str], ...] = ()
    certificates: tuple[Certificate, ...] = ()

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "EngineEnvironment":
        """Read the conventional variables; with no proxy set, ``NO_PROXY`` is left alone too."""
        return cls(_proxies(environ), _certificates(environ))

    def variables(self) -> tuple[tuple[str, str], ...]:
        """Variables for a container, in which bundles are named by their place inside."""
        bundles = (
            (name, certificate.target(index))
            for index, certificate in enumerate(self.certificates)
            for name in certificate.variables
        )
        return (*self.proxies, *bundles)


def _proxies(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    found = {name: environ.get(name) or environ.get(name.lower()) or "" for name in _PROXIES}
    named = {name: value for name, value in found.items() if value}
    if not named:
        return ()
    exceptions = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    hosts = [host.strip() for host in exceptions.split(",") if host.strip()]
    hosts += [host for host in _NEVER_PROXIED if host not in hosts]
    named["NO_PROXY"] = ",".join(hosts)
    return tuple(
        (spelling, value) for name, value in named.items() for spelling in (name, name.lower())
    )


def _certificates(environ: Mapping[str, str]) -> tuple[Certificate, ...]:
    by_source: dict[str, list[str]] = {}
    for name in _BUNDLES:
        if source := environ.get(name):
            by_source.setdefault(source, []).append(name)
    return tuple(Certificate(Path(path), tuple(names)) for path, names in by_source.items())

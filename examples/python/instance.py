"""An instance of the component in wasmtime's sandbox, with its two imports: a clock, and a key fetch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

from wasmtime import Config, Engine, Store
from wasmtime.component import Component, Func, Linker

from checks import record
from head import RequestHead
from head_conversion import call_with_head
from key_server import is_allowed

VERIFIER = "poolgate:auth/verifier@0.1.0"
GATE = "poolgate:auth/gate@0.1.0"
MEMORY_LIMIT = 64 * 1024 * 1024
# Fuel is about the number of instructions, so a call ends whatever its input is. A signature takes less than a million for RSA-2048.
CALL_FUEL = 2_000_000_000
# For a call that reads a configuration or a key set.
SETUP_FUEL = 50_000_000_000
SETUP_FUNCTIONS = ("configure", "load-key-set", "keys-fetched")


class Guest:
    """The compiled component. Create one for the process, before it forks: compiling takes some seconds, and uses threads."""

    def __init__(self, file: str | Path) -> None:
        settings = Config()
        settings.consume_fuel = True
        self.engine = Engine(settings)
        self.component = Component.from_file(self.engine, str(file))


class Instance:
    """One instance of the component. It does one thing at a time."""

    def __init__(self, guest: Guest, clock: Callable[[], float], fetch: Callable[[str, str | None, str | None], bool]) -> None:
        """`fetch` starts a fetch, and returns whether it has started."""
        self._store = Store(guest.engine)
        self._store.set_limits(memory_size=MEMORY_LIMIT)
        self._store.set_fuel(SETUP_FUEL)
        # The claims of the tokens that the instance has cached, by slot: the version of the entry, and the claims.
        self.claims_by_slot: dict[int, tuple[int, dict[str, Any]]] = {}

        def fetch_later(_store: Any, url: str, key_id: str | None, etag: str | None) -> str:
            if not is_allowed(url):
                return "refused"
            return "deferred" if fetch(url, key_id, etag) else "unreachable"

        linker = Linker(guest.engine)
        with linker.root() as root:
            with root.add_instance("wasi:clocks/wall-clock@0.2.6") as wall_clock:
                wall_clock.add_func("now", lambda _store: record(seconds=int(clock()), nanoseconds=0))
                wall_clock.add_func("resolution", lambda _store: record(seconds=1, nanoseconds=0))
            with root.add_instance("poolgate:auth/key-source@0.1.0") as key_source:
                key_source.add_func("fetch", fetch_later)
        self._instance = linker.instantiate(self._store, guest.component)
        self._functions: dict[tuple[str, str], Func] = {}

    def call(self, interface: str, name: str, *arguments: Any) -> Any:
        self._store.set_fuel(SETUP_FUEL if name in SETUP_FUNCTIONS else CALL_FUEL)
        return self._function(interface, name)(self._store, *arguments)

    def call_with_head(self, name: str, head: RequestHead, *received_at: int) -> Any:
        """Calls a function of the interface `gate`."""
        self._store.set_fuel(CALL_FUEL)
        return call_with_head(self._store, self._function(GATE, name), head, *received_at)

    def is_out_of_fuel(self) -> bool:
        """Returns whether the last call was ended because it took too long."""
        return self._store.get_fuel() == 0

    def _function(self, interface: str, name: str) -> Func:
        if (interface, name) not in self._functions:
            exported = self._instance.get_export_index(self._store, interface)
            index = exported and self._instance.get_export_index(self._store, name, exported)
            function = index and self._instance.get_func(self._store, index)
            if not function:
                raise ValueError(f"the component has no {interface} {name}")
            self._functions[interface, name] = function
        return self._functions[interface, name]

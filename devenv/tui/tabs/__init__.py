"""One module per tab; each exports `Tab(DevTab)`. A module that is here is shown."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from devenv.tui.tab import DevTab


def find_tabs() -> list[type[DevTab]]:
    """The tabs in their order."""
    modules = [
        import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)
    ]
    return sorted((module.Tab for module in modules), key=lambda tab: tab.ORDER)

"""Every route that is served: a module with routes is named here, and so is in the documentation."""

from mcu.api import join, legs, rooms
from mcu.api.routes import Route

ROUTES: tuple[Route, ...] = (*join.routes, *legs.routes, *rooms.routes)

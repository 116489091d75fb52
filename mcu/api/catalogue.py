"""Every route that is served: a module with routes is named here, and so is in the documentation."""

from mcu.api import calls, endpoints, join, legs, meetings, network, participants, rooms
from mcu.api.routes import Route

ROUTES: tuple[Route, ...] = (
    *meetings.routes,
    *participants.routes,
    *join.routes,
    *legs.routes,
    *network.routes,
    *rooms.routes,
    *endpoints.routes,
    *calls.routes,
)

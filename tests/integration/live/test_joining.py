"""The way in over REST: who is refused, and that nobody learns anything from it."""

import statistics
import time
from typing import Any

import aiohttp
import pytest
from hall import Hall, client, hall, inside
from running_server import RunningServer

SDP = {"Content-Type": "application/sdp"}


async def knock(here: Hall, number: str | None = None, **body: Any) -> tuple[int, dict[str, Any]]:
    async with here.api.post(f"/api/v1/join/{number or here.number}", json=body) as answer:
        return answer.status, await answer.json(content_type=None)


def problem(answer: tuple[int, dict[str, Any]]) -> tuple[int, str, str]:
    status, body = answer
    return status, body["code"], body["detail"]


async def test_a_pin_says_what_somebody_is(live_server: RunningServer) -> None:
    async with hall(live_server, host_pin="482915", guest_pin="736201") as here:
        assert (await knock(here, name="Berg", pin="482915"))[1]["role"] == "host"
        assert (await knock(here, name="Anna", pin="736201"))[1]["role"] == "guest"


async def test_a_wrong_number_a_wrong_pin_and_no_pin_are_one_answer_and_take_the_same_time(
    live_server: RunningServer,
) -> None:
    async with hall(live_server, host_pin="482915", guest_pin="736201") as here:
        other = "900000001" if here.number != "900000001" else "900000002"
        answers, times = [], list[float]()
        for number, pin in ((here.number, "111111"), (other, "111111")):
            begun = time.monotonic()
            answers.append(problem(await knock(here, number, name="Anna", pin=pin)))
            times.append(time.monotonic() - begun)
        answers += [problem(await knock(here, number, name="Anna")) for number in (here.number, other)]
        assert len(set(answers)) == 1
        assert answers[0][:2] == (401, "number-or-pin-wrong")
        assert max(times) < 4 * statistics.mean(times)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "   "}, "/name"),
        ({"name": "x" * 81}, "/name"),
        ({"name": "Anna\u202e"}, "/name"),
        ({"name": "Anna\n"}, "/name"),
        ({"name": "Anna", "pin": "1"}, "/pin"),
        ({"name": "Anna", "pin": "123456", "token": "x"}, "/pin"),
        ({"name": "Anna", "language": "de"}, "/language"),
        ({"name": "Anna", "hidden": True}, "/hidden"),
    ],
)
async def test_what_is_wrong_is_named_and_not_repeated(
    live_server: RunningServer, body: dict[str, Any], pointer: str
) -> None:
    async with hall(live_server) as here:
        status, said = await knock(here, **body)
        if body == {"name": "Anna\n"}:  # blank space at the ends is not meant
            assert status == 200
            return
        assert status == 422
        assert [error["pointer"] for error in said["errors"]] == [pointer]


async def test_a_personal_link_brings_its_own_name_and_role(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        assert (await knock(here, token=here.link("Berg")))[1]["role"] == "host"
        assert problem(await knock(here, name="Berg", token="no token"))[:2] == (401, "token-invalid")
        async with hall(live_server) as elsewhere:
            assert problem(await knock(elsewhere, token=here.link("Berg")))[:2] == (401, "token-invalid")


async def test_a_leg_is_made_in_the_shape_of_whip(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        anna = here.stranger()
        joined = await anna.ask(here.number, "Anna")
        bearer = {"Authorization": f"Bearer {joined.session_token}"}

        async def send(method: str, path: str, expect: int, **more: Any) -> aiohttp.ClientResponse:
            headers = bearer | more.pop("headers", {})
            async with here.api.request(method, path, headers=headers, **more) as answer:
                assert answer.status == expect, await answer.text()
                return answer

        await send("POST", "/api/v1/legs", 401, headers={"Authorization": "Bearer x", **SDP}, data="v=0")
        await send(
            "POST", "/api/v1/legs", 401, headers={"Authorization": f"Bearer {live_server.token}", **SDP}, data=""
        )
        await send("POST", "/api/v1/legs", 415, data="v=0", headers={"Content-Type": "text/plain"})
        await send("POST", "/api/v1/legs", 422, data="v=0\r\n", headers=SDP)
        await send("POST", "/api/v1/legs", 422, data="not SDP", headers=SDP)
        await send("POST", "/api/v1/legs", 422, data="v=0", headers=SDP | {"X-Mcu-Muted": "maybe"})
        answers: list[aiohttp.ClientResponse] = []

        async def exchange(offer: str) -> str:
            async with here.api.post("/api/v1/legs", data=offer.encode(), headers=bearer | SDP) as answer:
                answers.append(answer)
                return await answer.text()

        anna.client = client()
        await anna.client.connect(exchange)
        made = answers[0]
        assert (made.status, made.content_type, made.headers["Location"]) == (
            201,
            "application/sdp",
            f"/api/v1/legs/{joined.leg}",
        )
        assert made.headers["ETag"]
        await anna.hello()
        await inside(anna)
        leg = made.headers["Location"]
        await send("PATCH", leg, 422, data="a=candidate", headers={"Content-Type": "application/trickle-ice-sdpfrag"})
        await send("DELETE", "/api/v1/legs/leg_" + "0" * 32, 404)
        await send("DELETE", leg, 204)
        await send("POST", "/api/v1/legs", 401, data="v=0", headers=SDP)


async def test_who_joins_muted_is_muted_from_the_first(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        anna = here.stranger()
        await anna.ask(here.number, "Anna")
        await anna.sit(client(), muted=True)
        await anna.hello()
        await inside(anna)
        assert (await here.get(f"{await here.room()}/participants/{anna.leg}"))["muted"]

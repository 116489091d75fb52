"""A network that has IPv6 alone: a telephone registers, comes into a meeting, and is called, with sound both ways."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

from baresip import telephone
from dialled import PIN, hear_each_other, in_the_room
from endpoints import PASSWORD, contacts, posted, settings, states
from hall import hall, hum, inside, loudness, texts, until
from running_server import running_server

HOST_HZ, PHONE_HZ = 900.0, 700.0


async def test_a_telephone_registers_dials_in_is_called_and_is_heard_by_ipv6_alone(tmp_path: Path) -> None:
    only = {"media__addresses": "::1", "sip__addresses": "::1", "sip__call_domains": "[::1]", "sip__person_s": "0.2"}
    with running_server(tmp_path / "server", **settings(tmp_path / "server") | only) as server:
        posted(server, "anna")
        there = f"[::1]:{server.logged('sip_serving')[0]['port']}"
        account = f"anna@{there}"
        parameters = f"auth_user=anna;auth_pass={PASSWORD};regint=60"
        async with hall(server, guest_pin=PIN) as here:
            host = await here.host(sound=hum(HOST_HZ))
            await inside(host)
            assert host.client is not None
            heard = host.client.heard
            with ExitStack() as stack:
                phone = stack.enter_context(
                    telephone(tmp_path / "anna", hertz=PHONE_HZ, account=account, parameters=parameters)
                )
                await until(lambda: states(server)["anna"] == "online")
                assert [one["address"] for one in contacts(server)] == ["::1"]
                phone.dial(f"sip:{here.number}@{there}")
                await until(lambda: phone.talks)
                await asyncio.sleep(1)
                await asyncio.to_thread(phone.press, f"{PIN}#")
                await in_the_room(host)
                await hear_each_other(host, HOST_HZ, phone, PHONE_HZ, lately=0.5)
                phone.hang_up()
                await until(lambda: texts(host)[-1].endswith("lämnade"))
                body = {"name": "Bo Ek", "uri": phone.uri}
                async with here.api.post(f"{await here.room()}/dial-out", json=body) as answer:
                    assert answer.status == 202, await answer.text()
                await until(lambda: phone.rings)
                await asyncio.sleep(0.3)
                phone.accept()
                await in_the_room(host)
                await until(lambda: loudness(heard(), PHONE_HZ, 0.5) > 0.8)

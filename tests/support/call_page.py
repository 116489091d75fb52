"""A page that calls one of our transports, and the server that its offer goes to: no room, no API.

site = Site()                                # or Site(address): where page and media are served
runner, url = await site.open()
await page.evaluate("go()")                  # window.setup, where it is set, is of its RTCConfiguration
"""

import asyncio
from functools import cache
from itertools import cycle

import chromium
from aiohttp import web
from av import VideoFrame
from calls import Server
from pictures import scenery
from rtc import Ear
from wire_twins import is_key

from mcu.demo.sources import LivePicture, tone
from mcu.media.messages import Source
from mcu.media.seams import EncodedPicture, Samples

FLAGS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", chromium.WITHOUT]
# Sound and pictures come from the page itself: without a microphone's permission Chromium hides its addresses (mDNS).
PAGE = """<!doctype html><link rel=icon href=data:><canvas id=cam width=320 height=180></canvas>
<canvas id=share width=640 height=360></canvas><video id=v autoplay playsinline muted></video><script>
let n = 0
setInterval(() => { for (const c of [cam, share]) {
  const g = c.getContext('2d'); g.fillStyle = '#888'; g.fillRect(0, 0, c.width, c.height)
  g.fillStyle = '#fff'; g.fillRect(n++ * 7 % 280, 0, 40, c.height) } }, 50)
async function go(mode) {
  const context = new AudioContext(), beep = context.createOscillator(), to = context.createMediaStreamDestination()
  beep.frequency.value = 440; beep.connect(to); beep.start()
  const pc = window.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle', ...window.setup})
  const camera = cam.captureStream(20), stream = new MediaStream()
  pc.addTransceiver(to.stream.getAudioTracks()[0], {direction: 'sendrecv', streams: [camera]})
  const layers = mode == 'layers' ? [4, 2, 1].map(by => ({rid: 'by' + by, scaleResolutionDownBy: by})) : undefined
  if (layers) { cam.width = 1280; cam.height = 720; mode = undefined }
  pc.addTransceiver(camera.getVideoTracks()[0],
    {direction: 'sendrecv', streams: [camera], ...(layers && {sendEncodings: layers})})
  pc.addTransceiver(share.captureStream(5).getVideoTracks()[0], {direction: 'sendonly'})
  pc.createDataChannel('unwanted')
  if (mode !== undefined) for (const t of pc.getTransceivers().slice(1, 3)) t.setCodecPreferences(
    RTCRtpReceiver.getCapabilities('video').codecs.filter(c =>
      c.mimeType == 'video/rtx' || (c.sdpFmtpLine ?? '').includes(`packetization-mode=${mode};profile-level-id=42e0`)))
  pc.ontrack = e => { stream.addTrack(e.track); v.srcObject = stream
    if (e.track.kind == 'audio') { const a = window.heard = context.createAnalyser()
      a.fftSize = 8192; context.createMediaStreamSource(new MediaStream([e.track])).connect(a) } }
  await pc.setLocalDescription(await pc.createOffer())
  await new Promise(done => { pc.onicegatheringstatechange = () => pc.iceGatheringState == 'complete' && done()
    setTimeout(done, 500) })
  const answer = await (await fetch('/offer', {method: 'POST', body: pc.localDescription.sdp})).text()
  const up = new Promise((good, bad) => { setTimeout(bad, 30000, 'not connected'); pc.onconnectionstatechange = () => {
    if (pc.connectionState == 'connected') good()
    if (pc.connectionState == 'failed') bad('failed') } })
  await pc.setRemoteDescription({type: 'answer', sdp: answer})
  await up
}
async function restart() {
  pc.restartIce()
  await pc.setLocalDescription()
  const answer = await (await fetch('/restart', {method: 'POST', body: pc.localDescription.sdp})).text()
  await pc.setRemoteDescription({type: 'answer', sdp: answer})
}
async function pair() {
  const all = [...(await pc.getStats()).values()], one = all.find(r => r.type == 'transport')
  return all.find(r => r.id == one.selectedCandidatePairId)
}
async function received() {
  let out = {}
  ;(await pc.getStats()).forEach(r => { if (r.type == 'inbound-rtp') out[r.kind] = r })
  return out
}
function hertz() {
  const bins = new Float32Array(heard.frequencyBinCount); heard.getFloatFrequencyData(bins)
  return bins.indexOf(Math.max(...bins)) * heard.context.sampleRate / heard.fftSize
}
</script>"""


class Site:
    """The page, and the server that its offer goes to."""

    def __init__(self, *addresses: str) -> None:
        """`addresses`: media is taken there, and the page is served at the first; none: all of this machine's."""
        self.host = addresses[0] if addresses else "127.0.0.1"
        self.worker = Server(*addresses)
        self.ear = Ear(self.worker.transports)
        self.offer = self.answer = ""
        self.offers = ""  # candidates of this protocol alone, where it is set

    async def answer_offer(self, request: web.Request) -> web.Response:
        self.offer = await request.text()
        self.ear.transport, self.answer = await self.worker.transports.answer(self.offer, self.ear)
        lines = self.answer.splitlines()
        kept = [line for line in lines if not line.startswith("a=candidate:") or f" 1 {self.offers}" in line]
        return web.Response(text="\r\n".join(kept) + "\r\n")

    async def answer_restart(self, request: web.Request) -> web.Response:
        assert self.ear.transport is not None
        return web.Response(text=await self.ear.transport.restart(await request.text()))

    @property
    def heard(self) -> list[Samples]:
        assert self.ear.transport is not None
        return self.worker.studio.heard[self.ear.transport.handle]

    async def show(self, _request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def open(self) -> tuple[web.AppRunner, str]:
        app = web.Application()
        app.router.add_get("/", self.show)
        app.router.add_post("/offer", self.answer_offer)
        app.router.add_post("/restart", self.answer_restart)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, self.host, 0).start()
        host = f"[{self.host}]" if ":" in self.host else self.host
        return runner, f"http://{host}:{runner.addresses[0][1]}/"


@cache
def _scene() -> list[VideoFrame]:
    return [scenery(number) for number in range(8)]


async def send_room(site: Site, seconds: float) -> None:
    """What a room would send: a tone of 880 Hz, and scenery at 15 frames a second, with key frames when asked."""
    transport, codec = site.ear.transport, site.ear.transport.takes(Source.CAMERA) if site.ear.transport else None
    assert transport is not None
    assert codec is not None
    site.worker.studio.seat(transport.handle, tone(880))
    picture = LivePicture(cycle(_scene()), 15)
    picture.start(codec)
    asked, sent = -1, 0
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() - began < seconds:
        due = int((loop.time() - began) * 15)
        while sent < due:
            data = picture.next(key=site.ear.key_requests > asked)
            asked = site.ear.key_requests
            made = EncodedPicture(codec, data, sent * 6000, is_key(codec, data), 640, 360)
            site.worker.transports.send_picture([transport], Source.CAMERA, made)
            sent += 1
        await asyncio.sleep(0.005)

// A telephone of JsSIP, for the tests: what it hears is measured, and what happens to it is written down.
import { UA, WebSocketInterface } from "jssip";

const said = [];
let session, ears;

const listen = (stream) => {
  const player = new Audio(); // without one, Chromium decodes nothing
  player.muted = true;
  player.srcObject = stream;
  const context = new AudioContext({ sampleRate: 48000 });
  ears = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(stream).connect(ears);
};

const take = (made) => {
  session = made;
  for (const event of ["accepted", "confirmed", "ended", "failed"])
    session.on(event, ({ cause }) => said.push(cause ? `${event}: ${cause}` : event));
  session.on("peerconnection:setremotedescriptionfailed", (error) => said.push(String(error)));
  const watch = (connection) =>
    connection.addEventListener("track", ({ track }) => {
      if (track.kind === "audio") listen(new MediaStream([track]));
    });
  if (session.connection) watch(session.connection);
  else session.on("peerconnection", ({ peerconnection }) => watch(peerconnection));
};

const microphone = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const how = { mediaConstraints: { audio: microphone, video: false }, pcConfig: { iceServers: [] } };

globalThis.phone = {
  said,
  register(socket, uri, password) {
    const ua = new UA({ sockets: [new WebSocketInterface(socket)], uri, password });
    for (const event of ["registered", "registrationFailed"]) ua.on(event, () => said.push(event));
    ua.on("newRTCSession", ({ originator, session: made }) => {
      take(made);
      if (originator === "remote") said.push("rings");
    });
    ua.start();
    phone.ua = ua;
  },
  call: (uri) => void phone.ua.call(uri, how),
  answer: () => session.answer(how),
  press: (keys, way = "RFC2833") => session.sendDTMF(keys, { transportType: way, interToneGap: 100 }),
  hangUp: () => session.terminate(),
  // how much louder a tone is than anything that is not near it, in dB
  hears(hertz) {
    if (!ears) return -Infinity;
    const levels = new Float32Array(ears.frequencyBinCount);
    ears.getFloatFrequencyData(levels);
    const at = Math.round((hertz * ears.fftSize) / ears.context.sampleRate);
    const near = (bin) => Math.abs(bin - at) <= 5;
    const loudest = (wanted) => levels.reduce((most, level, bin) => (wanted(bin) ? Math.max(most, level) : most), -200);
    return loudest(near) - loudest((bin) => !near(bin));
  },
};

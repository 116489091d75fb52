// A telephone of JsSIP, for the tests: what it hears and sees is measured, and what happens to it is written down.
import { UA, WebSocketInterface } from "jssip";

const said = [];
let session, ears, screen;

const listen = (stream) => {
  const player = new Audio(); // without one, Chromium decodes nothing
  player.muted = true;
  player.srcObject = stream;
  const context = new AudioContext({ sampleRate: 48000 });
  ears = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(stream).connect(ears);
};

const show = (stream) => {
  if (screen) return; // the other line is for slides
  screen = document.createElement("video");
  screen.muted = true;
  screen.srcObject = stream;
  void screen.play();
};

// an offer, with no codec of pictures but one
const having = (sdp, codec) =>
  sdp
    .split(/^(?=m=)/m)
    .map((part) => (part.startsWith("m=video") ? only(part, codec) : part))
    .join("");

const only = (part, codec) => {
  const [first, ...lines] = part.split("\r\n");
  const kept = [...part.matchAll(/^a=rtpmap:(\d+) ([^/]+)/gm)].filter((found) => found[2] === codec).map((found) => found[1]);
  const of = (line) => /^a=(?:rtpmap|fmtp|rtcp-fb):(\d+)/.exec(line)?.[1];
  const formats = kept.length ? [...first.split(" ").slice(0, 3), ...kept].join(" ") : first;
  return [formats, ...lines.filter((line) => !of(line) || kept.includes(of(line)))].join("\r\n");
};

const take = (made, codec) => {
  [session, screen] = [made, undefined];
  if (codec) session.on("sdp", (told) => told.originator === "local" && told.type === "offer" && (told.sdp = having(told.sdp, codec)));
  for (const event of ["accepted", "confirmed", "ended", "failed"])
    session.on(event, ({ cause }) => said.push(cause ? `${event}: ${cause}` : event));
  session.on("peerconnection:setremotedescriptionfailed", (error) => said.push(String(error)));
  const watch = (connection) =>
    connection.addEventListener("track", ({ track }) => {
      (track.kind === "audio" ? listen : show)(new MediaStream([track]));
    });
  if (session.connection) watch(session.connection);
  else session.on("peerconnection", ({ peerconnection }) => watch(peerconnection));
};

const microphone = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const how = (video) => ({ mediaConstraints: { audio: microphone, video }, pcConfig: { iceServers: [] } });
let wanted;

globalThis.phone = {
  said,
  register(socket, uri, password) {
    const ua = new UA({ sockets: [new WebSocketInterface(socket)], uri, password });
    for (const event of ["registered", "registrationFailed"]) ua.on(event, () => said.push(event));
    ua.on("newRTCSession", ({ originator, session: made }) => {
      take(made, wanted);
      if (originator === "remote") said.push("rings");
    });
    ua.start();
    phone.ua = ua;
  },
  // with a camera, where a codec of its pictures is named
  call(uri, codec) {
    wanted = codec;
    phone.ua.call(uri, how(Boolean(codec)));
  },
  answer: () => session.answer(how(Boolean(wanted))),
  hold: (on) => (on ? session.hold() : session.unhold()),
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
  // what its screen shows, at so many places: red, green, blue
  colours() {
    if (!screen?.videoWidth) return [];
    const paper = new OffscreenCanvas(32, 18).getContext("2d");
    paper.drawImage(screen, 0, 0, 32, 18);
    const { data } = paper.getImageData(0, 0, 32, 18);
    return Array.from({ length: data.length / 4 }, (_, at) => [...data.slice(4 * at, 4 * at + 3)]);
  },
};

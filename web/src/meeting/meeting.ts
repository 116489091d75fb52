/**
 * One meeting, as this tab takes part in it: joins, keeps the seat, comes back to it after a loss, says what the user
 * wants. The server decides; the page shows `state`.
 */

import { Problem } from "../api/http.js";
import { type Knock, closeLeg, join, openLeg } from "../api/join.js";
import { chosen } from "../i18n/i18n.js";
import { Link } from "../media/link.js";
import type { LocalMedia } from "../media/local.js";
import { Observable } from "../observable.js";
import type { FromServer, Layout, ToServer } from "../protocol.js";
import { pauseBefore, sleepUnlessOnline } from "./backoff.js";
import { Channel } from "./channel.js";
import { OwnQuality, type Told, told } from "./network.js";
import { type Seat, forgetSeat, keepSeat } from "./seat.js";
import { type MeetingState, START, heard, mine } from "./state.js";

/** What the server answers for ever: the seat is gone, coming back is no use. */
const FINAL = [401, 403, 404, 410, 422];
const OVER = "meeting-over";
/** A roster that was on its way when we said something tells what was before. */
const OWN_WORD_MS = 1000;
/** A screen that nobody is shown after this is not to be shared. */
const SHOWN_WITHIN_MS = 8000;
/** After this the network of this machine may be another, and an offer made in it of no use. */
const FRESH_MS = 60_000;

export class Meeting extends Observable {
  state: MeetingState = START;
  /** What this seat sees and hears; another stream after each new connection. */
  incoming: MediaStream | null = null;
  /** What somebody else shares; likewise. */
  content: MediaStream | null = null;
  myLayout: Layout | null = null;
  /** Whether one's own picture is left out of what one sees; `null`: as in the meeting. */
  myPersonal: boolean | null = null;
  private link: Link | null = null;
  private channel: Channel | null = null;
  private token: string | null = null;
  private iceServers: RTCIceServer[] = [];
  private prepared: { link: Link; offer: Promise<string>; at: number } | null = null;
  private own: OwnQuality | null = null;
  private resuming = false;
  /** An offer of ours was answered since the last welcome: the server knows the seat. */
  private answered = false;
  private spokeAt = 0;
  private cameraSaid: boolean | null = null;
  private screenSaid: boolean | null = null;
  /** The server has shown our screen since we last said that there is one. */
  private screenShown = false;
  private unshown: ReturnType<typeof setTimeout> | undefined;
  /** Stops the watching of the language. */
  private unchosen: (() => void) | undefined;

  constructor(
    readonly number: string,
    readonly media: LocalMedia,
  ) {
    super();
    media.watch(() => void this.mediaChanged());
  }

  /** Makes the offer before it is needed, so that the picture comes sooner after the click. */
  prepare(): void {
    this.prepared?.link.close();
    const link = this.newLink();
    this.prepared = { link, offer: link.offer(), at: performance.now() };
  }

  /** @throws Problem, and nothing has changed then */
  async join(knock: Knock): Promise<void> {
    this.set({ ...START, phase: "joining" });
    const early = this.takePrepared();
    let { link } = early;
    try {
      // candidates are gathered while the server thinks of the PIN
      const [joined, gathered] = await Promise.all([join(this.number, knock), early.offer]);
      let offer = gathered;
      this.iceServers = joined.ice_servers;
      if (this.iceServers.length > 0) {
        link.close();
        link = this.newLink();
        offer = await link.offer();
      }
      await this.connect(link, offer, joined.session_token);
      this.token = joined.session_token;
      this.set({ ...this.state, me: joined.leg, role: joined.role, title: joined.title });
    } catch (error) {
      link.close();
      this.drop();
      this.set({ ...START });
      throw error instanceof Problem ? error : new Problem(0, "unreachable", "");
    }
    await this.comeBack(); // the socket
  }

  /** Takes the seat that this tab had before it was loaded again. */
  resume(seat: Seat): Promise<void> {
    this.token = seat.token;
    this.iceServers = seat.iceServers;
    this.set({ ...START, phase: "resuming" });
    return this.comeBack();
  }

  leave(): void {
    const { me } = this.state;
    const said = this.channel?.say({ type: "leave" }) ?? false;
    if (!said && this.token !== null && me !== null) void closeLeg(this.token, me).catch(() => undefined);
    this.end("left");
  }

  /** One's own network in words; nothing before enough is known. */
  get network(): Told | null {
    return told(this.state.network, this.own?.word ?? "fine");
  }

  /** No new picture of the meeting has come for long. */
  get still(): boolean {
    return this.own?.still ?? false;
  }

  say(message: ToServer): void {
    this.channel?.say(message);
  }

  setMuted(muted: boolean): void {
    this.spokeAt = performance.now();
    this.media.setMuted(muted);
    this.say({ type: "mute", muted });
  }

  chooseLayout(layout: Layout | null): void {
    this.myLayout = layout;
    this.say({ type: "layout", layout });
    this.changed();
  }

  choosePersonal(on: boolean): void {
    this.myPersonal = on;
    this.say({ type: "personal", on });
    this.changed();
  }

  dismissRefusal(): void {
    this.set({ ...this.state, refusal: null });
  }

  private takePrepared(): { link: Link; offer: Promise<string> } {
    const { prepared } = this;
    this.prepared = null;
    if (prepared && performance.now() - prepared.at < FRESH_MS) return prepared;
    prepared?.link.close();
    const link = this.newLink();
    return { link, offer: link.offer() };
  }

  private newLink(): Link {
    const link: Link = new Link(this.iceServers, this.media, {
      lost: () => {
        if (this.link !== link) return;
        this.drop();
        void this.comeBack();
      },
      restart: (offer) => this.link === link && (this.channel?.say({ type: "restart_ice", offer }) ?? false),
    });
    return link;
  }

  private async connect(link: Link, offer: string, bearer: string): Promise<void> {
    const answer = await openLeg(bearer, offer, this.media.muted);
    this.answered = true;
    await link.accept(answer);
    this.unlink();
    this.link = link;
    this.own = new OwnQuality(
      () => link.figures(),
      () => this.changed(),
    );
    this.incoming = link.incoming;
    this.content = link.content;
    void link.send(this.media); // not waited for: what comes is to be played from its first sound on
    this.changed();
  }

  /** Resolves when the server has welcomed us. */
  private openChannel(token: string): Promise<void> {
    return new Promise((resolve, reject) => {
      let welcome = false;
      this.channel?.close();
      const channel = new Channel(token, {
        heard: (message) => {
          this.hear(message);
          if (message.type === "welcome") welcome = true;
          if (message.type === "welcome" || message.type === "gone") resolve();
        },
        lost: () => {
          this.channel = null;
          if (welcome) void this.comeBack();
          else reject(new Problem(0, "unreachable", ""));
        },
      });
      this.channel = channel;
    });
  }

  private hear(message: FromServer): void {
    if (message.type === "gone" && message.cause === "refused" && !this.answered) {
      this.drop(); // the server was started again and has forgotten the seat: ask for it with an offer
      return;
    }
    this.set(heard(this.state, message));
    if (message.type === "welcome") {
      this.answered = false;
      this.seated(message.reconnect_token);
      if (message.language !== chosen.language) this.sayLanguage();
      this.unchosen ??= chosen.watch(() => this.sayLanguage());
    }
    if (message.type === "roster") this.follow();
    if (message.type === "gone") this.end(message.cause);
    this.hearOfLink(message);
  }

  private hearOfLink(message: FromServer): void {
    if (message.type === "ice_restarted") void this.link?.acceptRestart(message.answer);
    if (message.type === "relays") this.relay(message.ice_servers);
    if (message.type === "reconnect") this.renew();
  }

  /** By these, from the next way on that is looked for. */
  private relay(iceServers: RTCIceServer[]): void {
    this.iceServers = iceServers;
    this.link?.relay(iceServers);
    this.keep();
  }

  /** The media is gone at the server. */
  private renew(): void {
    this.unlink();
    void this.comeBack();
  }

  private unlink(): void {
    this.link?.close();
    this.own?.close();
    this.link = this.own = null;
  }

  private seated(token: string): void {
    this.token = token;
    this.keep();
    this.cameraSaid = this.screenSaid = null;
    this.sayMedia();
    if (this.myLayout) this.say({ type: "layout", layout: this.myLayout });
    if (this.myPersonal !== null) this.say({ type: "personal", on: this.myPersonal });
  }

  /** In which the server tells of who comes and goes. */
  private sayLanguage(): void {
    this.say({ type: "language", language: chosen.language });
  }

  /** Another may share instead of us, or we may not share at all: then nothing is shared for nothing. */
  private followScreen(): void {
    const shown = mine(this.state)?.screen === true;
    if (this.screenShown && !shown) this.media.stopScreen();
    this.screenShown = shown;
  }

  /** A host may mute us. Only we unmute ourselves: where the server thinks us louder than we are, it is told again. */
  private follow(): void {
    this.followScreen();
    const entry = mine(this.state);
    if (!entry || entry.muted === this.media.muted || performance.now() - this.spokeAt < OWN_WORD_MS) return;
    if (entry.muted) this.media.setMuted(true);
    else this.setMuted(true);
  }

  private async mediaChanged(): Promise<void> {
    this.keep();
    await this.link?.send(this.media);
    this.sayMedia();
  }

  private sayMedia(): void {
    if (this.state.phase !== "in") return;
    const camera = this.media.camera !== null;
    const screen = this.media.screen !== null;
    if (camera !== this.cameraSaid) this.say({ type: "camera", on: camera });
    if (screen !== this.screenSaid) {
      this.say({ type: "screen", on: screen });
      this.screenShown = false;
      clearTimeout(this.unshown);
      if (screen) this.unshown = setTimeout(() => this.letScreenGo(), SHOWN_WITHIN_MS);
    }
    this.cameraSaid = camera;
    this.screenSaid = screen;
  }

  /** Not while the seat is on its way back: then it is told again that there is a screen. */
  private letScreenGo(): void {
    if (!this.screenShown && this.state.phase === "in") this.media.stopScreen();
  }

  /** Tries until it has sound, picture and socket again, or the server says that the seat is gone. */
  private async comeBack(): Promise<void> {
    if (this.resuming || this.state.phase === "over") return;
    this.resuming = true;
    if (this.state.phase === "in") this.set({ ...this.state, phase: "resuming" });
    for (let attempt = 0; this.unsettled(); attempt += 1) {
      await sleepUnlessOnline(pauseBefore(attempt));
      if (this.unsettled()) await this.tryAgain(attempt);
    }
    this.resuming = false;
  }

  private unsettled(): boolean {
    return this.state.phase !== "over" && (this.link === null || this.channel === null);
  }

  private async tryAgain(attempt: number): Promise<void> {
    if (this.token === null) {
      this.end("timeout");
      return;
    }
    if (attempt > 2) this.drop(); // the socket alone does not come back: ask for the whole seat, which is answered
    try {
      if (this.link === null) await this.renewLink(this.token);
      if (this.channel === null) await this.openChannel(this.token);
      if (!this.unsettled()) this.set({ ...this.state, phase: "in" });
      this.sayMedia();
    } catch (error) {
      if (!(error instanceof Problem)) return;
      if (error.code === OVER) this.end("ended");
      else if (FINAL.includes(error.status)) this.end("timeout");
    }
  }

  private async renewLink(token: string): Promise<void> {
    const link = this.newLink();
    try {
      await this.connect(link, await link.offer(), token);
      this.cameraSaid = this.screenSaid = null;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  private keep(): void {
    if (this.token === null) return;
    const { muted, cameraWanted } = this.media;
    keepSeat(this.number, { token: this.token, muted, camera: cameraWanted, iceServers: this.iceServers });
  }

  private drop(): void {
    this.prepared?.link.close();
    this.prepared = null;
    this.channel?.close();
    this.channel = null;
    this.unlink();
  }

  private end(cause: string): void {
    this.drop();
    this.token = null;
    this.unchosen?.();
    this.unchosen = undefined;
    forgetSeat(this.number);
    this.incoming = this.content = null;
    this.media.close();
    this.set({ ...this.state, phase: "over", cause });
  }

  private set(state: MeetingState): void {
    this.state = state;
    this.changed();
  }
}

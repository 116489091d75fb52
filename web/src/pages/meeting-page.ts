/** One meeting's address: shows the part of the page that fits where this seat is. */

import { type TemplateResult, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { t } from "../i18n/i18n.js";
import { LocalMedia } from "../media/local.js";
import { Meeting } from "../meeting/meeting.js";
import { keptSeat, takeFragment } from "../meeting/seat.js";
import { type MeetingState, place } from "../meeting/state.js";
import "./lobby-view.js";
import "./over-view.js";
import "./prejoin-view.js";
import "./room-view.js";

type Shown = "prejoin" | "lobby" | "room" | "over";

@customElement("meeting-page")
export class MeetingPage extends PageElement {
  @property({ attribute: false }) number = "";
  @state() private meeting!: Meeting;
  private token: string | null = null;
  private shown: Shown | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.token = takeFragment("t", `token:${this.number}`);
    this.begin();
    addEventListener("hashchange", this.linked);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("hashchange", this.linked);
    if (this.meeting.state.phase !== "over") this.meeting.leave();
    document.title = t("app.name");
  }

  /** Asks the user where they are in a meeting. */
  mayLeave(): boolean {
    const { phase } = this.meeting.state;
    return phase === "out" || phase === "over" || confirm(t("room.leaveAsk"));
  }

  protected override render(): TemplateResult {
    switch (shownIn(this.meeting.state)) {
      case "over":
        return html`<over-view .cause=${this.meeting.state.cause ?? "left"} @again=${() => this.begin()}></over-view>`;
      case "lobby":
        return html`<lobby-view .meeting=${this.meeting}></lobby-view>`;
      case "room":
        return html`<room-view .meeting=${this.meeting}></room-view>`;
      default:
        return html`<prejoin-view .meeting=${this.meeting} .token=${this.token}></prejoin-view>`;
    }
  }

  protected override updated(): void {
    const { title } = this.meeting.state;
    document.title = title ? `${title} – ${t("app.name")}` : t("app.name");
    const shown = shownIn(this.meeting.state);
    if (this.shown !== undefined && this.shown !== shown) void this.focusHeading();
    this.shown = shown;
  }

  /** A new view begins at its heading, for those who do not see that it is new. */
  private async focusHeading(): Promise<void> {
    const view = this.renderRoot.querySelector<PageElement>(":not(style)");
    await view?.updateComplete;
    view?.shadowRoot?.querySelector<HTMLElement>("h1")?.focus();
  }

  private readonly linked = (): void => {
    this.token = takeFragment("t", `token:${this.number}`);
    this.requestUpdate();
  };

  private begin(): void {
    const seat = keptSeat(this.number);
    const media = new LocalMedia();
    if (seat) {
      media.muted = seat.muted;
      media.cameraWanted = seat.camera;
    }
    const meeting = new Meeting(this.number, media);
    this.meeting = meeting;
    this.follow(meeting);
    void media.start().then(() => (seat ? void meeting.resume(seat) : meeting.prepare()));
  }
}

function shownIn(state: MeetingState): Shown {
  if (state.phase === "over") return "over";
  if (state.phase === "out" || (state.phase === "joining" && state.me === null)) return "prejoin";
  return place(state) === "lobby" ? "lobby" : "room";
}

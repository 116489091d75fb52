/** In the meeting: the picture, who is there, and everything one can do. */

import { type TemplateResult, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { ifDefined } from "lit/directives/if-defined.js";
import { lost } from "../components/describe.js";
import { icon, iconStyle } from "../components/icons.js";
import "../components/layout-picker.js";
import type { ModalDialog } from "../components/modal-dialog.js";
import "../components/modal-dialog.js";
import type { RoomChat } from "../components/room-chat.js";
import "../components/room-chat.js";
import "../components/room-content.js";
import "../components/room-network.js";
import "../components/room-notices.js";
import "../components/room-people.js";
import "../components/room-stage.js";
import "../components/settings-panel.js";
import { PageElement } from "../element.js";
import { clock, t } from "../i18n/i18n.js";
import type { Meeting } from "../meeting/meeting.js";
import { type Act, actOf } from "../meeting/shortcuts.js";
import { mine, place, present, waiting } from "../meeting/state.js";
import { controls } from "../styles/controls.js";
import { roomStyle } from "./room-style.js";

type Panel = "people" | "chat" | null;

interface Button {
  id: string;
  icon: TemplateResult;
  text: string;
  act: () => void;
  pressed?: boolean;
  expanded?: boolean;
  alert?: boolean;
  danger?: boolean;
  badge?: number;
  disabled?: boolean;
}

@customElement("room-view")
export class RoomView extends PageElement {
  static override styles = [controls, iconStyle, roomStyle];

  @property({ attribute: false }) meeting!: Meeting;
  @state() private panel: Panel = innerWidth >= 1100 ? "people" : null;
  @state() private chatSeen = 0;
  @query("#layout-dialog") private readonly layouts!: ModalDialog;
  @query("#settings-dialog") private readonly settings!: ModalDialog;

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow(this.meeting);
    this.follow(this.meeting.media);
    addEventListener("keydown", this.key);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("keydown", this.key);
  }

  protected override willUpdate(): void {
    if (this.panel === "chat") this.chatSeen = this.meeting.state.chat.length;
  }

  protected override render(): TemplateResult {
    const { state: now } = this.meeting;
    return html`<div class="room">
        <div class="head">
          <h1 tabindex="-1">${now.title || t("room.title")}</h1>
          ${now.locked ? html`<span class="badge">${icon.lock}${t("room.locked")}</span>` : nothing}
          <p class=${now.endsAt ? "badge" : "unseen"} role="status">
            ${now.endsAt ? t("room.endsAt", { time: clock(now.endsAt) }) : nothing}
          </p>
          <room-network .meeting=${this.meeting}></room-network>
          ${this.knocking()}
        </div>
        <div class="stage">
          <div class=${now.map?.content ? "pictures with-content" : "pictures"}>
            ${now.map?.content ? html`<room-content .meeting=${this.meeting}></room-content>` : nothing}
            <room-stage .meeting=${this.meeting}></room-stage>
          </div>
          <room-notices .meeting=${this.meeting}></room-notices>
        </div>
        ${this.sidePanel()}
        <div class="controls" role="group" aria-label=${t("room.controls")}>
          ${this.buttons().map((one) => this.button(one))}
        </div>
        <p class="unseen" role="status">${this.told()}</p>
      </div>
      <modal-dialog id="layout-dialog" heading=${t("layout.title")}>
        <layout-picker .meeting=${this.meeting}></layout-picker>
      </modal-dialog>
      <modal-dialog id="settings-dialog" heading=${t("settings.title")}>
        <settings-panel .media=${this.meeting.media}></settings-panel>
      </modal-dialog>`;
  }

  /** For hosts: who waits, where it is seen without opening anything. */
  private knocking(): TemplateResult | typeof nothing {
    const { state: now } = this.meeting;
    const people = waiting(now);
    const first = people[0];
    if (now.role !== "host" || !first) return nothing;
    return html`<div class="knock" role="status">
      <span
        >${people.length === 1 ? t("room.waits", { name: first.name }) : t("room.wait", { count: people.length })}</span
      >
      <button
        class="button small primary"
        type="button"
        @click=${() => this.meeting.say({ type: "admit", leg: first.leg })}
        aria-label=${t("people.admitName", { name: first.name })}
      >
        ${t("people.admit")}
      </button>
      <button class="button small" type="button" @click=${() => void this.open("people")}>
        ${t("room.seeWaiting")}
      </button>
    </div>`;
  }

  private sidePanel(): TemplateResult | typeof nothing {
    if (this.panel === null) return nothing;
    const people = this.panel === "people";
    return html`<aside class="panel" aria-labelledby="panel-title">
      <div class="panel-head">
        <h2 id="panel-title">${people ? t("people.title") : t("chat.title")}</h2>
        <button class="icon-button" type="button" aria-label=${t("dialog.close")} @click=${() => void this.open(null)}>
          ${icon.close}
        </button>
      </div>
      <div class="panel-body">
        ${
          people
            ? html`<room-people .meeting=${this.meeting}></room-people>`
            : html`<room-chat .meeting=${this.meeting}></room-chat>`
        }
      </div>
    </aside>`;
  }

  private buttons(): Button[] {
    return [...this.mediaButtons(), ...this.roomButtons()];
  }

  private mediaButtons(): Button[] {
    const { media } = this.meeting;
    const { silent } = media;
    const camera = media.camera !== null;
    const sharing = media.screen !== null;
    return [
      {
        id: "mute",
        icon: silent ? icon.microphoneOff : icon.microphone,
        text: silent ? t("room.unmute") : t("room.mute"),
        act: () => this.act("mute"),
        alert: silent,
      },
      {
        id: "camera",
        icon: camera ? icon.camera : icon.cameraOff,
        text: camera ? t("room.stopCamera") : t("room.startCamera"),
        act: () => this.act("camera"),
        alert: !camera,
      },
      {
        id: "screen",
        icon: icon.screen,
        text: sharing ? t("room.stopScreen") : t("room.screen"),
        act: () => (sharing ? media.stopScreen() : void media.shareScreen()),
        pressed: sharing,
        disabled: !("getDisplayMedia" in ((navigator.mediaDevices as object | undefined) ?? {})),
      },
    ];
  }

  private roomButtons(): Button[] {
    const { state: now } = this.meeting;
    const held = place(now) === "held";
    const raised = (mine(now)?.hand ?? 0) > 0;
    const unread = Math.max(0, now.chat.length - this.chatSeen);
    return [
      {
        id: "hand",
        icon: icon.hand,
        text: raised ? t("room.lowerHand") : t("room.hand"),
        act: () => this.act("hand"),
        pressed: raised,
      },
      {
        id: "people",
        icon: icon.people,
        text: t("room.people"),
        act: () => this.act("people"),
        pressed: this.panel === "people",
        expanded: this.panel === "people",
        badge: present(now).length,
      },
      {
        id: "chat",
        icon: icon.chat,
        text: t("room.chat"),
        act: () => this.act("chat"),
        pressed: this.panel === "chat",
        expanded: this.panel === "chat",
        badge: unread,
      },
      { id: "layout", icon: icon.layout, text: t("room.layout"), act: () => void this.layouts.open() },
      {
        id: "hold",
        icon: held ? icon.play : icon.pause,
        text: held ? t("room.resume") : t("room.hold"),
        act: () => this.meeting.say({ type: "hold", held: !held }),
        pressed: held,
      },
      { id: "settings", icon: icon.settings, text: t("room.settings"), act: () => void this.settings.open() },
      { id: "leave", icon: icon.leave, text: t("room.leave"), act: () => this.meeting.leave(), danger: true },
    ];
  }

  private button(one: Button): TemplateResult {
    const look = `control${one.alert ? " alert" : ""}${one.danger ? " danger" : ""}${one.pressed ? " pressed" : ""}`;
    return html`<button
      id=${one.id}
      class=${look}
      type="button"
      ?disabled=${one.disabled ?? false}
      aria-expanded=${ifDefined(one.expanded)}
      @click=${one.act}
    >
      ${one.icon}<span>${one.text}</span>
      ${one.badge ? html`<span class="count">${one.badge}</span>` : nothing}
    </button>`;
  }

  /** What a screen reader is told of oneself, when it changes. */
  private told(): string {
    const { media, state: now } = this.meeting;
    if (now.phase === "resuming") return lost(now);
    if (media.errors.microphone) return t("room.noMicrophone");
    return media.muted ? t("room.mutedNow") : t("room.unmutedNow");
  }

  /** To write is why one opens the chat; whoever closes a panel is back at its button. */
  private async open(panel: Panel): Promise<void> {
    const closed = panel === null ? this.panel : null;
    this.panel = panel;
    await this.updateComplete;
    if (closed) this.renderRoot.querySelector<HTMLElement>(`#${closed}`)?.focus();
    const chat = this.renderRoot.querySelector<RoomChat>("room-chat");
    if (panel === "chat" && chat) await chat.write();
  }

  private readonly key = (event: KeyboardEvent): void => {
    const act = actOf(event);
    if (!act) return;
    event.preventDefault();
    this.act(act);
  };

  private act(act: Act): void {
    const { meeting } = this;
    switch (act) {
      case "mute":
        return meeting.setMuted(!meeting.media.silent);
      case "camera":
        return void meeting.media.setCamera(meeting.media.camera === null);
      case "hand":
        return meeting.say({ type: "hand", raised: (mine(meeting.state)?.hand ?? 0) === 0 });
      default:
        return void this.open(this.panel === act ? null : act);
    }
  }
}

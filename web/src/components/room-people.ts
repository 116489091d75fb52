/** Who is in the meeting, how they are, and (for hosts) who waits, and what may be done. */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { PageElement } from "../element.js";
import { t } from "../i18n/i18n.js";
import type { Meeting } from "../meeting/meeting.js";
import { present, waiting } from "../meeting/state.js";
import type { Entry } from "../protocol.js";
import { controls } from "../styles/controls.js";
import { KINDS, marks, standing } from "./describe.js";
import { icon, iconStyle } from "./icons.js";
import type { ModalDialog } from "./modal-dialog.js";
import "./modal-dialog.js";
import "./room-calls.js";

@customElement("room-people")
export class RoomPeople extends PageElement {
  static override styles = [
    controls,
    iconStyle,
    css`
      li {
        display: flex;
        align-items: center;
        gap: 0.6rem;
        min-height: 46px;
        padding: 0.2rem 0;
        border-bottom: 1px solid var(--edge);
      }

      .face {
        flex: none;
        display: grid;
        place-items: center;
        width: 34px;
        height: 34px;
        border-radius: 50%;
        background: var(--brand-soft);
        color: var(--brand-soft-ink);
        font-size: 0.85rem;
        font-weight: 700;
      }

      .speaking .face {
        background: var(--sun);
        color: #3a2a00;
        outline: 2px solid var(--live);
        outline-offset: 1px;
      }

      .who {
        flex: 1;
        min-width: 0;
        overflow-wrap: anywhere;
        line-height: 1.25;
      }

      .who .hint {
        display: block;
        font-size: 0.84rem;
      }

      .marks {
        display: flex;
        gap: 0.25rem;
        color: var(--ink-2);
      }

      .marks .raised {
        color: var(--warn-soft-ink);
        background: var(--warn-soft);
        display: inline-flex;
        padding-right: 0.4rem;
        border-radius: 999px;
        font-size: 0.9rem;
        font-weight: 700;
      }

      .icon-button {
        flex: none;
        width: 36px;
        height: 36px;
      }

      .lobby li {
        flex-wrap: wrap;
      }

      .lobby .who {
        flex: 1 1 8rem;
      }

      .host-tools {
        padding-top: 0.6rem;
      }

      .acts {
        display: grid;
        gap: 0.6rem;
      }
    `,
  ];

  @property({ attribute: false }) meeting!: Meeting;
  @state() private chosen: string | null = null;
  @query("#acts") private readonly acts!: ModalDialog;
  @query("#end") private readonly ending!: ModalDialog;

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow(this.meeting);
  }

  protected override render(): TemplateResult {
    const { state: now } = this.meeting;
    const host = now.role === "host";
    const people = present(now);
    return html`<div class="stack">
        ${host ? this.lobby(waiting(now)) : nothing}
        <section aria-labelledby="present">
          <h3 id="present">${t("people.present", { count: people.length })}</h3>
          <ul>
            ${repeat(
              people,
              (one) => one.leg,
              (one) => this.person(one, host),
            )}
          </ul>
        </section>
        ${host ? html`<room-calls .meeting=${this.meeting}></room-calls>${this.hostTools()}` : nothing}
      </div>
      ${host ? html`${this.actsDialog()} ${this.endDialog()}` : nothing}`;
  }

  private lobby(people: Entry[]): TemplateResult | typeof nothing {
    if (people.length === 0) return nothing;
    return html`<section aria-labelledby="waiting" class="lobby told warn">
      <h3 id="waiting">${t("people.waiting", { count: people.length })}</h3>
      <ul>
        ${repeat(
          people,
          (one) => one.leg,
          (one) =>
            html`<li>
              <span class="who">${one.name}</span>
              <button
                class="button small primary"
                type="button"
                @click=${() => this.meeting.say({ type: "admit", leg: one.leg })}
                aria-label=${t("people.admitName", { name: one.name })}
              >
                ${t("people.admit")}
              </button>
              <button
                class="button small"
                type="button"
                @click=${() => this.meeting.say({ type: "remove", leg: one.leg })}
                aria-label=${t("people.refuseName", { name: one.name })}
              >
                ${t("people.refuse")}
              </button>
            </li>`,
        )}
      </ul>
    </section>`;
  }

  private person(entry: Entry, host: boolean): TemplateResult {
    const me = entry.leg === this.meeting.state.me;
    const kind = KINDS[entry.kind].icon;
    return html`<li class=${entry.speaking ? "speaking" : ""} data-leg=${entry.leg}>
      <span class="face" aria-hidden="true">${kind ?? initials(entry.name)}</span>
      <span class="who">
        ${entry.name}${me ? html` (${t("people.me")})` : nothing}
        <span class="hint">${standing(entry)}</span>
      </span>
      <span class="marks" aria-hidden="true">
        ${entry.hand ? html`<span class="raised">${icon.hand}${entry.hand}</span>` : nothing}
        ${entry.screen ? icon.screen : nothing} ${entry.muted ? icon.microphoneOff : icon.microphone}
        ${this.meeting.state.spotlight === entry.leg ? icon.star : nothing}
      </span>
      <span class="unseen">${marks(entry)}</span>
      ${
        host && !me
          ? html`<button
              class="icon-button"
              type="button"
              aria-label=${t("people.actsFor", { name: entry.name })}
              @click=${() => this.openActs(entry)}
            >
              ${icon.more}
            </button>`
          : nothing
      }
    </li>`;
  }

  private hostTools(): TemplateResult {
    const { locked } = this.meeting.state;
    return html`<section aria-labelledby="tools" class="host-tools stack">
      <h3 id="tools">${t("host.tools")}</h3>
      <label class="check">
        <input type="checkbox" .checked=${locked} @change=${this.lock} />
        <span>${t("host.lock")}<span class="hint">${t("host.lockHint")}</span></span>
      </label>
      <div class="row">
        <button class="button small" type="button" @click=${() => this.meeting.say({ type: "mute_guests" })}>
          ${t("host.muteGuests")}
        </button>
        <button class="button small danger" type="button" @click=${() => this.ending.open()}>${t("host.end")}</button>
      </div>
    </section>`;
  }

  private actsDialog(): TemplateResult {
    const entry = this.meeting.state.roster.find((one) => one.leg === this.chosen);
    return html`<modal-dialog id="acts" heading=${entry?.name ?? ""}>
      ${entry ? html`<div class="acts">${this.actsOn(entry)}</div>` : html`<p>${t("people.gone")}</p>`}
    </modal-dialog>`;
  }

  private actsOn(entry: Entry): TemplateResult {
    const { leg } = entry;
    const lit = this.meeting.state.spotlight === leg;
    return html`
      ${
        entry.muted
          ? html`<p class="hint">${t("people.mutedAlready")}</p>`
          : html`<button class="button" type="button" @click=${() => this.act({ type: "mute", muted: true, leg })}>
              ${icon.microphoneOff}${t("people.mute")}
            </button>`
      }
      ${
        entry.hand
          ? html`<button class="button" type="button" @click=${() => this.act({ type: "hand", raised: false, leg })}>
              ${icon.hand}${t("people.lowerHand")}
            </button>`
          : nothing
      }
      <button class="button" type="button" @click=${() => this.act({ type: "spotlight", leg: lit ? null : leg })}>
        ${icon.star}${lit ? t("people.unspotlight") : t("people.spotlight")}
      </button>
      <button class="button danger" type="button" @click=${() => this.act({ type: "remove", leg })}>
        ${icon.leave}${t("people.remove")}
      </button>
    `;
  }

  private endDialog(): TemplateResult {
    return html`<modal-dialog id="end" heading=${t("host.endAsk")}>
      <div class="stack">
        <p>${t("host.endHint")}</p>
        <div class="row">
          <button class="button danger" type="button" @click=${() => this.meeting.say({ type: "end" })}>
            ${t("host.endYes")}
          </button>
          <button class="button" type="button" @click=${() => this.ending.close()}>${t("host.endNo")}</button>
        </div>
      </div>
    </modal-dialog>`;
  }

  private openActs(entry: Entry): void {
    this.chosen = entry.leg;
    void this.acts.open();
  }

  private act(message: Parameters<Meeting["say"]>[0]): void {
    this.meeting.say(message);
    this.acts.close();
  }

  private lock(event: Event): void {
    this.meeting.say({ type: "lock", locked: (event.target as HTMLInputElement).checked });
  }
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  return [words[0], words.length > 1 ? words.at(-1) : ""]
    .map((word) => Array.from(word ?? "")[0] ?? "")
    .join("")
    .toUpperCase();
}

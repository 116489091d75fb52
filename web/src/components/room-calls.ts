/** For hosts: who are called into the meeting, what comes of it, and a dialog that calls somebody. */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { PageElement } from "../element.js";
import { chosen, t } from "../i18n/i18n.js";
import { callee } from "../meeting/callee.js";
import type { Meeting } from "../meeting/meeting.js";
import { calling } from "../meeting/state.js";
import type { Called } from "../protocol.js";
import { controls } from "../styles/controls.js";
import { STAGES, underWay } from "./describe.js";
import { icon, iconStyle } from "./icons.js";
import type { ModalDialog } from "./modal-dialog.js";
import "./modal-dialog.js";

@customElement("room-calls")
export class RoomCalls extends PageElement {
  static override styles = [
    controls,
    iconStyle,
    css`
      li {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.6rem;
        min-height: 46px;
        border-bottom: 1px solid var(--edge);
      }

      .who {
        flex: 1 1 8rem;
        overflow-wrap: anywhere;
      }

      .who .hint {
        display: block;
      }
    `,
  ];

  @property({ attribute: false }) meeting!: Meeting;
  @query("#call") private readonly dialog!: ModalDialog;

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow(this.meeting);
  }

  protected override render(): TemplateResult {
    return html`<div class="stack">
        ${this.list(calling(this.meeting.state))}
        <button class="button small" type="button" @click=${() => void this.dialog.open()}>
          ${icon.phone}${t("calls.call")}
        </button>
      </div>
      <modal-dialog id="call" heading=${t("calls.call")}>${this.form()}</modal-dialog>`;
  }

  private list(called: Called[]): TemplateResult | typeof nothing {
    if (called.length === 0) return nothing;
    return html`<section aria-labelledby="called">
      <h3 id="called">${t("calls.title")}</h3>
      <ul aria-live="polite">
        ${repeat(
          called,
          (one) => one.call,
          (one) =>
            html`<li data-call=${one.call}>
              <span class="who">${one.name}<span class="hint">${t(STAGES[one.stage])}</span></span>
              <button
                class="button small"
                type="button"
                aria-label=${t(underWay(one) ? "calls.hangUpName" : "calls.dismissName", { name: one.name })}
                @click=${() => this.meeting.say({ type: "hang_up", call: one.call })}
              >
                ${t(underWay(one) ? "calls.hangUp" : "calls.dismiss")}
              </button>
            </li>`,
        )}
      </ul>
    </section>`;
  }

  private form(): TemplateResult {
    return html`<form class="stack" @submit=${this.call}>
      <div class="field">
        <label for="to">${t("calls.to")}</label>
        <input id="to" name="to" required maxlength="254" autocomplete="off" aria-describedby="to-hint" />
        <span class="hint" id="to-hint">${t("calls.toHint")}</span>
      </div>
      <div class="field">
        <label for="name">${t("calls.name")}</label>
        <input id="name" name="name" required maxlength="200" autocomplete="off" aria-describedby="name-hint" />
        <span class="hint" id="name-hint">${t("calls.nameHint")}</span>
      </div>
      <label class="check"> <input type="checkbox" name="host" /><span>${t("calls.host")}</span> </label>
      <button class="button primary" type="submit">${t("calls.begin")}</button>
    </form>`;
  }

  private readonly call = (event: Event): void => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const given = new FormData(form);
    const text = (name: string): string => {
      const value = given.get(name);
      return typeof value === "string" ? value : "";
    };
    this.meeting.say({
      type: "call_out",
      to: callee(text("to")),
      name: text("name").trim(),
      role: given.has("host") ? "host" : "guest",
      language: chosen.language,
    });
    form.reset();
    this.dialog.close();
  };
}

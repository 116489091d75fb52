/** Which layout: mine, and (for hosts) everybody's. */

import { type TemplateResult, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { t } from "../i18n/i18n.js";
import type { Meeting } from "../meeting/meeting.js";
import type { Layout } from "../protocol.js";
import { LAYOUTS } from "./describe.js";

@customElement("layout-picker")
export class LayoutPicker extends PageElement {
  @property({ attribute: false }) meeting!: Meeting;

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow(this.meeting);
  }

  protected override render(): TemplateResult {
    const { role, roomLayout, map } = this.meeting.state;
    const without = this.meeting.myPersonal ?? (map !== null && map.personal !== "shared");
    return html`<div class="stack">
      <fieldset>
        <legend>${t("layout.mine")}</legend>
        ${this.radio("mine", null, t("layout.asRoom"), "", this.meeting.myLayout === null)}
        ${LAYOUTS.map((one) => this.radio("mine", one.layout, t(one.text), t(one.hint), this.meeting.myLayout === one.layout))}
      </fieldset>
      <label class="check">
        <input type="checkbox" .checked=${without} @change=${this.left} />
        <span>${t("layout.personal")}<span class="hint">${t("layout.personal.hint")}</span></span>
      </label>
      <p role="status" class="live">${map?.personal === "no_room" ? t("layout.noRoom") : nothing}</p>
      ${
        role === "host"
          ? html`<fieldset>
              <legend>${t("layout.everybody")}</legend>
              ${LAYOUTS.map((one) => this.radio("room", one.layout, t(one.text), "", roomLayout === one.layout))}
            </fieldset>`
          : nothing
      }
    </div>`;
  }

  private radio(
    whose: "mine" | "room",
    layout: Layout | null,
    text: string,
    hint: string,
    checked: boolean,
  ): TemplateResult {
    return html`<label class="check">
      <input type="radio" name=${whose} .checked=${checked} @change=${() => this.choose(whose, layout)} />
      <span>${text}${hint ? html`<span class="hint">${hint}</span>` : nothing}</span>
    </label>`;
  }

  private left(event: Event): void {
    this.meeting.choosePersonal((event.target as HTMLInputElement).checked);
  }

  private choose(whose: "mine" | "room", layout: Layout | null): void {
    if (whose === "mine") this.meeting.chooseLayout(layout);
    else this.meeting.say({ type: "layout", layout, room: true });
  }
}

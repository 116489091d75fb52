/** In the room: devices and keys. */

import { type TemplateResult, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { t } from "../i18n/i18n.js";
import type { LocalMedia } from "../media/local.js";
import { SHORTCUTS, shortcutsOn, turnShortcuts } from "../meeting/shortcuts.js";
import { controls } from "../styles/controls.js";
import "./device-picker.js";

@customElement("settings-panel")
export class SettingsPanel extends PageElement {
  static override styles = [
    controls,
    css`
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 0.3rem 1rem;
        align-items: center;
      }

      kbd {
        display: inline-block;
        min-width: 2rem;
        padding: 0.1rem 0.5rem;
        border: 1px solid var(--edge-strong);
        border-radius: 6px;
        text-align: center;
        font: inherit;
      }
    `,
  ];

  @property({ attribute: false }) media!: LocalMedia;
  @state() private keysOn = shortcutsOn();

  protected override render(): TemplateResult {
    return html`<div class="stack">
      <device-picker .media=${this.media}></device-picker>
      <section class="stack" aria-labelledby="keys">
        <h3 id="keys">${t("keys.title")}</h3>
        <label class="check">
          <input type="checkbox" .checked=${this.keysOn} @change=${this.turn} />
          <span>${t("keys.on")}<span class="hint">${t("keys.onHint")}</span></span>
        </label>
        <dl>
          ${SHORTCUTS.map(
            (one) =>
              html`<dt><kbd>${one.key.toUpperCase()}</kbd></dt>
                <dd>${t(one.text)}</dd>`,
          )}
        </dl>
      </section>
    </div>`;
  }

  private turn(event: Event): void {
    this.keysOn = (event.target as HTMLInputElement).checked;
    turnShortcuts(this.keysOn);
  }
}

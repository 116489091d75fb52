/** Something to give to somebody else: a link, a number, a PIN; with a button that copies it. */

import { type TemplateResult, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { t } from "../i18n/i18n.js";
import { controls } from "../styles/controls.js";

@customElement("copy-field")
export class CopyField extends PageElement {
  static override styles = [
    controls,
    css`
      .copy {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.3rem 0.8rem;
      }

      .value {
        flex: 1 1 12rem;
        min-width: 0;
        font-variant-numeric: tabular-nums;
        font-size: 0.95rem;
      }

      /* A personal link is long, and is copied rather than read. Selecting takes all of it. */
      .value span:last-child {
        display: -webkit-box;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
        overflow: hidden;
        overflow-wrap: anywhere;
        user-select: all;
      }
    `,
  ];

  @property() label = "";
  @property() value = "";
  @state() private copied = false;

  protected override render(): TemplateResult {
    return html`<div class="copy">
      <p class="value"><span class="label">${this.label}</span><br /><span>${this.value}</span></p>
      <button class="button small" type="button" aria-label=${t("copy.what", { what: this.label })} @click=${this.copy}>
        ${this.copied ? t("copy.done") : t("copy.copy")}
      </button>
      <span class="unseen" role="status">${this.copied ? t("copy.done") : ""}</span>
    </div>`;
  }

  private async copy(): Promise<void> {
    await navigator.clipboard.writeText(this.value);
    this.copied = true;
    setTimeout(() => {
      this.copied = false;
    }, 3000);
  }
}

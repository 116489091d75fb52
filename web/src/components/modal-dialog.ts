/** A dialog over the page. The browser's own <dialog> keeps the focus inside and gives it back. */

import { type TemplateResult, css, html } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { t } from "../i18n/i18n.js";
import { controls } from "../styles/controls.js";
import { icon, iconStyle } from "./icons.js";

@customElement("modal-dialog")
export class ModalDialog extends PageElement {
  static override styles = [
    controls,
    iconStyle,
    css`
      dialog {
        width: min(34rem, calc(100vw - 1.5rem));
        max-height: calc(100dvh - 2rem);
        padding: 0;
        overflow: auto;
        border: 1px solid var(--edge);
        border-radius: var(--round);
        background: var(--surface);
        color: var(--ink);
        box-shadow: var(--shadow);
      }

      dialog::backdrop {
        background: rgb(8 20 22 / 55%);
      }

      .head {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 1rem;
        padding: 0.7rem 0.7rem 0 1.4rem;
      }

      .body {
        padding: 0.6rem 1.4rem 1.4rem;
      }
    `,
  ];

  @property() heading = "";
  @query("dialog") private readonly dialog!: HTMLDialogElement;

  async open(): Promise<void> {
    await this.updateComplete;
    if (!this.dialog.open) this.dialog.showModal();
  }

  close(): void {
    this.dialog.close();
  }

  protected override render(): TemplateResult {
    return html`<dialog aria-labelledby="heading" @close=${() => this.dispatchEvent(new Event("closed"))}>
      <div class="head">
        <h2 id="heading">${this.heading}</h2>
        <button class="icon-button" type="button" aria-label=${t("dialog.close")} @click=${this.close}>
          ${icon.close}
        </button>
      </div>
      <div class="body"><slot></slot></div>
    </dialog>`;
  }
}

/** After the meeting, or where it cannot go on: why, and what to do next. */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { type Key, t } from "../i18n/i18n.js";
import { go } from "../routes.js";
import { controls } from "../styles/controls.js";

const CAUSES: Record<string, { title: Key; next: Key; again: boolean }> = {
  left: { title: "over.left", next: "over.left.next", again: true },
  hangup: { title: "over.left", next: "over.left.next", again: true },
  removed: { title: "over.removed", next: "over.removed.next", again: true },
  ended: { title: "over.ended", next: "over.ended.next", again: false },
  replaced: { title: "over.replaced", next: "over.replaced.next", again: false },
  refused: { title: "over.refused", next: "over.refused.next", again: true },
};
const TIMEOUT = { title: "over.timeout", next: "over.timeout.next", again: true } as const;

@customElement("over-view")
export class OverView extends PageElement {
  static override styles = [
    controls,
    css`
      .page {
        max-width: 36rem;
        margin: 10vh auto 3rem;
        padding: 0 clamp(0.8rem, 3vw, 2rem);
      }
    `,
  ];

  @property() cause = "left";

  protected override render(): TemplateResult {
    const { title, next, again } = CAUSES[this.cause] ?? TIMEOUT;
    return html`<div class="page">
      <div class="card stack">
        <h1 tabindex="-1">${t(title)}</h1>
        <p>${t(next)}</p>
        <p class="row">
          ${
            again
              ? html`<button
                  class="button primary"
                  type="button"
                  @click=${() => this.dispatchEvent(new Event("again"))}
                >
                  ${t("over.again")}
                </button>`
              : nothing
          }
          <a class="button" href="/" @click=${this.home}>${t("over.home")}</a>
        </p>
      </div>
    </div>`;
  }

  private home(event: Event): void {
    event.preventDefault();
    go("/");
  }
}

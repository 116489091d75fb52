/** Whether the network lets the meeting's sound and picture through, tried when it is first shown and when asked. */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { type Key, t } from "../i18n/i18n.js";
import { type Checked, type Way, tryMedia } from "../media/way.js";
import { controls } from "../styles/controls.js";

const WORDS: Record<Way, { title: Key; next: Key | null }> = {
  udp: { title: "way.udp", next: null },
  tcp: { title: "way.tcp", next: "way.tcpNext" },
  relay: { title: "way.relay", next: "way.relayNext" },
  none: { title: "way.none", next: "way.noneNext" },
  unknown: { title: "way.unknown", next: "way.unknownNext" },
};

@customElement("way-check")
export class WayCheck extends PageElement {
  static override styles = [
    controls,
    css`
      .again {
        margin-top: 0.6rem;
      }
    `,
  ];

  @state() private checked: Checked | null = null;
  @state() private checking = true;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.check();
  }

  /** The button stays while it is tried again: it has the focus. */
  protected override render(): TemplateResult {
    const { checked, checking } = this;
    return html`<div role="status">
        ${checked && !checking ? this.words(checked) : html`<p>${t("way.checking")}</p>`}
      </div>
      ${
        checked && checked.way !== "udp"
          ? html`<button
              class="button small again"
              type="button"
              aria-disabled=${String(checking)}
              @click=${() => void (checking || this.check())}
            >
              ${t("way.again")}
            </button>`
          : nothing
      }`;
  }

  private words({ way, port }: Checked): TemplateResult {
    const { title, next } = WORDS[way];
    if (next === null) return html`<p>${t(title)}</p>`;
    return html`<p class="told warn"><strong>${t(title)}</strong> ${t(next, { port: port ?? "" })}</p>`;
  }

  private async check(): Promise<void> {
    this.checking = true;
    this.checked = await tryMedia();
    this.checking = false;
  }
}

/**
 * Whether the network lets the meeting's sound and picture through, tried when it is first shown, when asked, and once
 * more when the devices are open: until they may be used a browser hides its addresses, and where there is no IPv4
 * Chromium then finds no way at all.
 */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { type Key, t } from "../i18n/i18n.js";
import type { LocalMedia } from "../media/local.js";
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
  @property({ attribute: false }) media!: LocalMedia;
  private triedOpen = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow(this.media);
    void this.check();
  }

  protected override updated(): void {
    const blocked = !this.checking && this.checked?.way !== "udp";
    if (blocked && this.open && !this.triedOpen) void this.check();
  }

  private get open(): boolean {
    return this.media.microphone !== null || this.media.camera !== null;
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
    const first = way === "none" && !this.open ? t("way.devicesFirst") : "";
    return html`<p class="told warn"><strong>${t(title)}</strong> ${first} ${t(next, { port: port ?? "" })}</p>`;
  }

  private async check(): Promise<void> {
    this.triedOpen = this.open;
    this.checking = true;
    this.checked = await tryMedia();
    this.checking = false;
  }
}

/** One's own network in words, with what to do where it is bad. Said to screen readers when it changes. */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { t } from "../i18n/i18n.js";
import type { Meeting } from "../meeting/meeting.js";
import type { Told } from "../meeting/network.js";
import type { NetworkLevel } from "../protocol.js";
import { controls } from "../styles/controls.js";
import { icon, iconStyle } from "./icons.js";

const ICONS: Record<NetworkLevel, TemplateResult> = {
  good: icon.network,
  weak: icon.networkWeak,
  poor: icon.networkPoor,
};

@customElement("room-network")
export class RoomNetwork extends PageElement {
  static override styles = [
    controls,
    iconStyle,
    css`
      .network {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.3rem 0.7rem;
        font-size: 0.92rem;
      }

      .network.weak,
      .network.poor {
        padding: 0.25rem 0.3rem 0.25rem 0.7rem;
        border-radius: var(--round-s);
        background: var(--warn-soft);
        color: var(--warn-soft-ink);
      }

      .network.poor {
        background: var(--danger-soft);
        color: var(--danger-soft-ink);
      }

      p {
        display: flex;
        align-items: center;
        gap: 0.4rem;
      }
    `,
  ];

  @property({ attribute: false }) meeting!: Meeting;

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow(this.meeting);
    this.follow(this.meeting.media);
  }

  protected override render(): TemplateResult {
    const { network, media } = this.meeting;
    const bad = network !== null && network.level !== "good";
    return html`<div class="network ${network?.level ?? ""}">
      <p role="status">${network ? words(network) : nothing}</p>
      ${
        bad && media.camera
          ? html`<button class="button small" type="button" @click=${() => void media.setCamera(false)}>
              ${icon.cameraOff}${t("self.stopCamera")}
            </button>`
          : nothing
      }
    </div>`;
  }
}

function words({ level, title, detail, next }: Told): TemplateResult {
  const rest = [detail, next].filter((key) => key !== null).map((key) => t(key));
  return html`${ICONS[level]}<span
      >${rest.length > 0 ? html`<strong>${t(title)}.</strong> ${rest.join(" ")}` : t(title)}</span
    >`;
}

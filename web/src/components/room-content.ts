/** What somebody else shares, large and sharp, beside the composed picture. */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { t } from "../i18n/i18n.js";
import type { Meeting } from "../meeting/meeting.js";
import { controls } from "../styles/controls.js";
import { icon, iconStyle } from "./icons.js";

@customElement("room-content")
export class RoomContent extends PageElement {
  static override styles = [
    controls,
    iconStyle,
    css`
      :host {
        min-width: 0;
        min-height: 0;
      }

      figure {
        display: flex;
        flex-direction: column;
        height: 100%;
        overflow: hidden;
        border-radius: var(--round);
        background: #0b1c1e;
        color: #ffffff;
      }

      video {
        flex: 1;
        width: 100%;
        min-height: 0;
        object-fit: contain;
      }

      figcaption {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 0.2rem 0.8rem;
        padding: 0.2rem 0.4rem 0.2rem 0.8rem;
        font-weight: 600;
        overflow-wrap: anywhere;
      }

      .button {
        flex: none;
      }

      @media (max-width: 60rem) {
        figure {
          height: auto;
        }

        video {
          flex: none;
          aspect-ratio: 16 / 9;
          max-height: 80dvh;
        }

        figcaption {
          font-size: 0.92rem;
          line-height: 1.3;
        }
      }
    `,
  ];

  @property({ attribute: false }) meeting!: Meeting;
  @query("video") private readonly video!: HTMLVideoElement;

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow(this.meeting);
  }

  protected override updated(): void {
    const { content } = this.meeting;
    if (this.video.srcObject !== content) this.video.srcObject = content;
  }

  protected override render(): TemplateResult {
    const { map, roster } = this.meeting.state;
    const name = roster.find((one) => one.leg === map?.content)?.name ?? "";
    const text = t("stage.screenOf", { name });
    // telephones of Apple's have no full screen but for what they play themselves
    return html`<figure>
      <video autoplay muted playsinline aria-label=${text}></video>
      <figcaption>
        <span>${text}</span>
        ${
          document.fullscreenEnabled
            ? html`<button class="button small" type="button" @click=${this.enlarge}>
                ${icon.screen}${t("stage.fullScreen")}
              </button>`
            : nothing
        }
      </figcaption>
    </figure>`;
  }

  private enlarge(): void {
    void this.video.requestFullscreen().catch(() => undefined);
  }
}

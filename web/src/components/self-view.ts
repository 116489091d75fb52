/** The user's own camera, mirrored as people know themselves, with its two switches. */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { t } from "../i18n/i18n.js";
import type { LocalMedia } from "../media/local.js";
import { controls } from "../styles/controls.js";
import { icon, iconStyle } from "./icons.js";

@customElement("self-view")
export class SelfView extends PageElement {
  static override styles = [
    controls,
    iconStyle,
    css`
      .frame {
        position: relative;
        display: grid;
        place-items: center;
        aspect-ratio: 16 / 9;
        overflow: hidden;
        border-radius: var(--round);
        background: #10282a;
        color: #e7f1ee;
      }

      video {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        object-fit: contain;
        transform: scaleX(-1);
      }

      .off {
        display: grid;
        justify-items: center;
        gap: 0.4rem;
        padding-bottom: 3rem;
      }

      .switches {
        position: absolute;
        bottom: 0.8rem;
        display: flex;
        flex-wrap: wrap;
        justify-content: center;
        gap: 0.5rem;
      }

      .switch {
        display: inline-flex;
        align-items: center;
        gap: 0.45rem;
        min-height: 44px;
        padding: 0.3rem 1rem;
        border: 1px solid #e7f1ee;
        border-radius: 999px;
        background: #10282a;
        color: #ffffff;
        font-weight: 600;
        cursor: pointer;
      }

      .switch.off-now {
        background: #ffffff;
        color: #7c1528;
      }
    `,
  ];

  @property({ attribute: false }) media!: LocalMedia;
  @query("video") private readonly video!: HTMLVideoElement | null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow(this.media);
  }

  protected override updated(): void {
    const track = this.media.camera;
    const shown = this.video?.srcObject instanceof MediaStream ? this.video.srcObject.getTracks()[0] : undefined;
    if (this.video && track && shown !== track) this.video.srcObject = new MediaStream([track]);
  }

  protected override render(): TemplateResult {
    const { camera, silent } = this.media;
    return html`<div class="frame">
      ${
        camera
          ? html`<video autoplay muted playsinline aria-label=${t("self.preview")}></video>`
          : html`<p class="off">${icon.cameraOff}<span>${t("self.cameraOff")}</span></p>`
      }
      <div class="switches">
        ${this.toggle(silent, icon.microphone, icon.microphoneOff, silent ? t("self.unmute") : t("self.mute"), () =>
          this.media.setMuted(!silent),
        )}
        ${this.toggle(
          !camera,
          icon.camera,
          icon.cameraOff,
          camera ? t("self.stopCamera") : t("self.startCamera"),
          () => void this.media.setCamera(!camera),
        )}
      </div>
    </div>`;
  }

  private toggle(
    off: boolean,
    on: TemplateResult,
    offIcon: TemplateResult,
    text: string,
    act: () => void,
  ): TemplateResult | typeof nothing {
    return html`<button type="button" class=${off ? "switch off-now" : "switch"} @click=${act}>
      ${off ? offIcon : on}${text}
    </button>`;
  }
}

/** Which microphone, camera and loudspeaker; whether one is heard, and hears. */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { type Key, t } from "../i18n/i18n.js";
import type { Choice, DeviceError } from "../media/devices.js";
import type { LocalMedia } from "../media/local.js";
import { canChooseSpeaker, testSpeaker } from "../media/speaker.js";
import { controls } from "../styles/controls.js";
import { icon, iconStyle } from "./icons.js";
import "./level-meter.js";

type Which = "microphone" | "camera" | "speaker";

const ERRORS: Record<DeviceError, Key> = {
  denied: "devices.denied",
  missing: "devices.missing",
  busy: "devices.busy",
  insecure: "devices.insecure",
};

@customElement("device-picker")
export class DevicePicker extends PageElement {
  static override styles = [
    controls,
    iconStyle,
    css`
      .speaker {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem;
      }

      .speaker select {
        flex: 1 1 12rem;
        width: auto;
      }

      .good {
        color: var(--live);
        font-weight: 600;
      }
    `,
  ];

  @property({ attribute: false }) media!: LocalMedia;
  @state() private testing = false;
  @state() private heard = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow(this.media);
  }

  protected override render(): TemplateResult {
    const { devices, errors } = this.media;
    return html`<div class="stack">
      <div class="field">
        <label for="microphone">${t("devices.microphone")}</label>
        ${this.select("microphone", devices.microphones)} ${told("devices.microphone", errors.microphone)}
        <level-meter
          .track=${this.media.microphone}
          @heard=${() => {
            this.heard = true;
          }}
        ></level-meter>
        <p class="hint" role="status">
          ${this.heard ? html`<span class="good">${t("devices.heard")}</span>` : t("devices.speak")}
        </p>
      </div>
      <div class="field">
        <label for="camera">${t("devices.camera")}</label>
        ${this.select("camera", devices.cameras)} ${told("devices.camera", errors.camera)}
      </div>
      <div class="field">
        <label for="speaker">${t("devices.speaker")}</label>
        <div class="speaker">
          ${this.select("speaker", devices.speakers)}
          <button class="button" type="button" ?disabled=${this.testing} @click=${this.test}>
            ${icon.speaker}${t("devices.test")}
          </button>
        </div>
      </div>
      <label class="check">
        <input type="checkbox" .checked=${this.media.choice.clean} @change=${this.cleaned} />
        <span>${t("devices.clean")}<span class="hint">${t("devices.cleanHint")}</span></span>
      </label>
    </div>`;
  }

  private select(which: Which, devices: MediaDeviceInfo[]): TemplateResult {
    const fixed = devices.length === 0 || (which === "speaker" && !canChooseSpeaker());
    const wanted = this.media.choice[which];
    const current = devices.some((one) => one.deviceId === wanted) ? wanted : devices[0]?.deviceId;
    return html`<select id=${which} ?disabled=${fixed} @change=${(event: Event) => this.chose(which, event)}>
      ${fixed ? html`<option>${t("devices.standard")}</option>` : nothing}
      ${
        fixed
          ? nothing
          : devices.map(
              (one, index) =>
                html`<option value=${one.deviceId} ?selected=${one.deviceId === current}>
                  ${one.label || t("devices.unnamed", { number: index + 1 })}
                </option>`,
            )
      }
    </select>`;
  }

  private chose(which: Which, event: Event): void {
    const change: Partial<Choice> = {};
    change[which] = (event.target as HTMLSelectElement).value;
    this.heard = false;
    void this.media.choose(change);
  }

  private cleaned(event: Event): void {
    void this.media.choose({ clean: (event.target as HTMLInputElement).checked });
  }

  private async test(): Promise<void> {
    this.testing = true;
    try {
      await testSpeaker(this.media.choice.speaker);
    } finally {
      this.testing = false;
    }
  }
}

function told(device: Key, error: DeviceError | null): TemplateResult | typeof nothing {
  if (!error) return nothing;
  return html`<p class="told warn" role="alert">
    <strong>${t(device)}: ${t("devices.cannot")}</strong>${t(ERRORS[error])}
  </p>`;
}

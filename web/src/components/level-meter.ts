/** Shows how loud a microphone is. */

import { type TemplateResult, css, html } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { t } from "../i18n/i18n.js";
import { LevelMeter } from "../media/level.js";
import { controls } from "../styles/controls.js";

/** Speech reaches this level: the meter then says that one is heard. */
const SPEECH = 0.35;

@customElement("level-meter")
export class LevelMeterElement extends PageElement {
  static override styles = [
    controls,
    css`
      .bar {
        height: 12px;
        border: 1px solid var(--edge-strong);
        border-radius: 999px;
        background: var(--surface-2);
        overflow: hidden;
      }

      .level {
        height: 100%;
        width: 100%;
        transform: scaleX(0);
        transform-origin: left;
        background: var(--live);
      }
    `,
  ];

  @property({ attribute: false }) track: MediaStreamTrack | null = null;
  @query(".level") private readonly bar!: HTMLElement;
  @query(".bar") private readonly meter!: HTMLElement;
  private running: LevelMeter | undefined;

  protected override updated(changes: Map<string, unknown>): void {
    if (changes.has("track")) this.restart();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.running?.close();
    this.running = undefined;
  }

  protected override render(): TemplateResult {
    return html`<div
      class="bar"
      role="meter"
      aria-label=${t("devices.level")}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow="0"
    >
      <div class="level"></div>
    </div>`;
  }

  private restart(): void {
    this.running?.close();
    this.running = this.track ? new LevelMeter(this.track, (level) => this.show(level)) : undefined;
    this.show(0);
  }

  private show(level: number): void {
    this.bar.style.transform = `scaleX(${level.toFixed(2)})`;
    const percent = String(Math.round(level * 100));
    this.meter.setAttribute("aria-valuenow", percent);
    if (level > SPEECH) this.dispatchEvent(new Event("heard"));
  }
}

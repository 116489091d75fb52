/** Before the meeting: name, PIN, and whether camera, microphone and loudspeaker work. */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { Problem } from "../api/http.js";
import type { Knock } from "../api/join.js";
import "../components/device-picker.js";
import "../components/self-view.js";
import "../components/way-check.js";
import { PageElement } from "../element.js";
import { chosen, t } from "../i18n/i18n.js";
import { type Explained, explain } from "../meeting/explain.js";
import type { Meeting } from "../meeting/meeting.js";
import { digits, spaced } from "../routes.js";
import { controls } from "../styles/controls.js";

const NAME_KEPT_AS = "name";

@customElement("prejoin-view")
export class PrejoinView extends PageElement {
  static override styles = [
    controls,
    css`
      .page {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1.15fr);
        gap: clamp(1rem, 3vw, 2.4rem);
        max-width: 72rem;
        margin: 0 auto;
        padding: clamp(0.6rem, 2vw, 1.6rem) clamp(0.8rem, 3vw, 2rem) 3rem;
        align-items: start;
      }

      .number {
        font-variant-numeric: tabular-nums;
        font-weight: 600;
        white-space: nowrap;
      }

      .come-in {
        width: 100%;
      }

      @media (max-width: 52rem) {
        .page {
          grid-template-columns: minmax(0, 1fr);
        }

        .who {
          order: -1;
        }
      }
    `,
  ];

  @property({ attribute: false }) meeting!: Meeting;
  @property({ attribute: false }) token: string | null = null;
  @state() private refused: Explained | null = null;
  @state() private nameMissing = false;
  @state() private busy = false;
  @query("#name") private readonly nameField!: HTMLInputElement;
  @query("#pin") private readonly pinField!: HTMLInputElement | null;

  protected override render(): TemplateResult {
    return html`<div class="page">
      <section class="who card stack" aria-labelledby="title">
        <h1 id="title" tabindex="-1">${t("prejoin.title")}</h1>
        <p>${t("prejoin.number")} <span class="number">${spaced(this.meeting.number)}</span></p>
        ${this.problem()} ${this.form()}
      </section>
      <section class="stack" aria-labelledby="check">
        <h2 id="check">${t("prejoin.check")}</h2>
        <self-view .media=${this.meeting.media}></self-view>
        <div class="card"><device-picker .media=${this.meeting.media}></device-picker></div>
        <div class="card"><way-check .media=${this.meeting.media}></way-check></div>
      </section>
    </div>`;
  }

  private form(): TemplateResult {
    return html`<form class="stack" novalidate @submit=${this.submit}>
      <div class="field">
        <label for="name">${t("prejoin.name")}</label>
        <input
          id="name"
          name="name"
          autocomplete="name"
          maxlength="80"
          ?required=${this.token === null}
          .value=${sessionStorage.getItem(NAME_KEPT_AS) ?? ""}
          aria-invalid=${String(this.nameMissing)}
          aria-describedby="name-hint"
        />
        <p id="name-hint" class="hint">${this.nameHint()}</p>
      </div>
      ${
        this.asksPin()
          ? html`<div class="field">
              <label for="pin">${t("prejoin.pin")}</label>
              <input
                id="pin"
                name="pin"
                type="password"
                inputmode="numeric"
                autocomplete="off"
                maxlength="40"
                aria-describedby="pin-hint"
              />
              <p id="pin-hint" class="hint">${t("prejoin.pinHint")}</p>
            </div>`
          : nothing
      }
      <button class="button primary large come-in" type="submit" aria-disabled=${String(this.busy)}>
        ${this.busy ? t("prejoin.joining") : t("prejoin.join")}
      </button>
      <p class="hint">${t("prejoin.announced")}</p>
    </form>`;
  }

  private nameHint(): string {
    if (this.nameMissing) return t("prejoin.nameMissing");
    return this.token === null ? t("prejoin.nameHint") : t("prejoin.nameKnown");
  }

  private problem(): TemplateResult {
    return html`<div role="alert" class="live">
      ${
        this.refused
          ? html`<div class="told error">
              <strong>${t(this.refused.title)}</strong>${t(this.refused.next)} ${this.refused.detail}
            </div>`
          : nothing
      }
    </div>`;
  }

  private asksPin(): boolean {
    return this.token === null || this.refused?.pin === true;
  }

  private submit(event: Event): void {
    event.preventDefault();
    const name = this.nameField.value.trim();
    this.nameMissing = name === "" && this.token === null;
    if (this.nameMissing) return this.nameField.focus();
    if (this.busy) return;
    if (name) sessionStorage.setItem(NAME_KEPT_AS, name);
    const pin = digits(this.pinField?.value ?? "");
    void this.join({ ...(name ? { name } : {}), language: chosen.language, ...this.proof(pin) });
  }

  private proof(pin: string): Pick<Knock, "pin" | "token"> {
    if (pin) return { pin };
    return this.token === null ? {} : { token: this.token };
  }

  private async join(knock: Knock): Promise<void> {
    this.busy = true;
    this.refused = null;
    try {
      await this.meeting.join(knock);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.refused = explain(error, knock.pin ? "pin" : knock.token ? "link" : "number");
      await this.updateComplete;
      if (this.refused.pin) this.pinField?.focus();
    } finally {
      this.busy = false;
    }
  }
}

/** The first page: into a meeting by its number; and, for those who may, booking one and seeing today's. */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { Problem } from "../api/http.js";
import { type BookedMeeting, today } from "../api/meetings.js";
import "../components/booking-form.js";
import "../components/copy-field.js";
import { PageElement } from "../element.js";
import { type Key, clock, day, t } from "../i18n/i18n.js";
import { takeFragment } from "../meeting/seat.js";
import { digits, go, routeOf, spaced } from "../routes.js";
import { controls } from "../styles/controls.js";

const KEPT_AS = "api";

const STATES: Record<BookedMeeting["state"], Key> = {
  scheduled: "booked.scheduled",
  open: "booked.open",
  active: "booked.active",
  ended: "booked.ended",
  cancelled: "booked.cancelled",
  expired: "booked.expired",
};

@customElement("booking-page")
export class BookingPage extends PageElement {
  static override styles = [
    controls,
    css`
      .page {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        gap: clamp(1rem, 3vw, 2.2rem);
        max-width: 74rem;
        margin: 0 auto;
        padding: clamp(0.6rem, 2vw, 1.6rem) clamp(0.8rem, 3vw, 2rem) 3rem;
        align-items: start;
      }

      .lead {
        font-size: 1.1rem;
        color: var(--ink-2);
      }

      .by-number {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6rem;
        align-items: start;
      }

      .by-number .button {
        margin-top: 1.85rem;
      }

      .by-number .field {
        flex: 1 1 12rem;
      }

      .meetings li {
        display: flex;
        flex-wrap: wrap;
        gap: 0.3rem 1rem;
        align-items: center;
        padding: 0.7rem 0;
        border-bottom: 1px solid var(--edge);
      }

      .when {
        min-width: 6.2rem;
        font-variant-numeric: tabular-nums;
        font-weight: 650;
      }

      .what {
        flex: 1 1 10rem;
        overflow-wrap: anywhere;
      }

      .what .hint {
        display: block;
      }

      @media (max-width: 56rem) {
        .page {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  @state() private token: string | null = null;
  @state() private meetings: BookedMeeting[] | null = null;
  @state() private badNumber = false;
  @state() private failed: Key | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.token = takeFragment("api", KEPT_AS);
    addEventListener("hashchange", this.linked);
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("hashchange", this.linked);
  }

  protected override render(): TemplateResult {
    return html`<div class="page">
      <div class="stack">
        <div class="stack">
          <h1>${t("home.title")}</h1>
          <p class="lead">${t("home.lead")}</p>
        </div>
        <section class="card stack" aria-labelledby="go">
          <h2 id="go">${t("home.join")}</h2>
          <form class="by-number" @submit=${this.goByNumber}>
            <div class="field">
              <label for="number">${t("home.number")}</label>
              <input
                id="number"
                name="number"
                inputmode="numeric"
                autocomplete="off"
                maxlength="16"
                required
                aria-invalid=${String(this.badNumber)}
                aria-describedby="number-hint"
              />
              <p id="number-hint" class="hint">${this.badNumber ? t("home.badNumber") : t("home.numberHint")}</p>
            </div>
            <button class="button primary" type="submit">${t("home.go")}</button>
          </form>
        </section>
        ${this.token ? this.todays() : nothing}
      </div>
      ${
        this.token
          ? html`<section class="card" aria-labelledby="book">
              <booking-form .token=${this.token} @booked=${() => void this.load()}></booking-form>
            </section>`
          : this.keyForm()
      }
    </div>`;
  }

  private todays(): TemplateResult {
    return html`<section class="card stack" aria-labelledby="today">
      <h2 id="today">${t("booked.today", { day: day(new Date()) })}</h2>
      <div role="status" class="live">${this.failed ? html`<p class="told error">${t(this.failed)}</p>` : nothing}</div>
      ${this.meetings?.length === 0 ? html`<p class="hint">${t("booked.none")}</p>` : nothing}
      <ul class="meetings">
        ${this.meetings?.map((one) => this.meeting(one))}
      </ul>
      <p class="row">
        <button class="button small" type="button" @click=${this.load}>${t("booked.again")}</button>
        <button class="button small" type="button" @click=${this.forget}>${t("home.forget")}</button>
      </p>
    </section>`;
  }

  private meeting(one: BookedMeeting): TemplateResult {
    const path = `/j/${one.join.meeting_number}`;
    const times = one.start && one.end ? `${clock(one.start)}–${clock(one.end)}` : t("booked.always");
    return html`<li>
      <span class="when">${times}</span>
      <span class="what"
        >${one.title}<span class="hint">${spaced(one.join.meeting_number)} · ${t(STATES[one.state])}</span></span
      >
      <a class="button small" href=${path} aria-label=${t("booked.openName", { title: one.title })}
        >${t("booked.openIt")}</a
      >
    </li>`;
  }

  private keyForm(): TemplateResult {
    return html`<section class="card stack" aria-labelledby="key-title">
      <h2 id="key-title">${t("home.book")}</h2>
      <p>${t("home.keyWhy")}</p>
      <form class="stack" @submit=${this.useKey}>
        <div class="field">
          <label for="key">${t("home.key")}</label>
          <input id="key" name="key" type="password" autocomplete="off" required aria-describedby="key-hint" />
          <p id="key-hint" class="hint">${t("home.keyHint")}</p>
        </div>
        <div role="alert" class="live">
          ${this.failed ? html`<p class="told error">${t(this.failed)}</p>` : nothing}
        </div>
        <p><button class="button primary" type="submit">${t("home.useKey")}</button></p>
      </form>
    </section>`;
  }

  private readonly linked = (): void => {
    this.token = takeFragment("api", KEPT_AS);
    void this.load();
  };

  private goByNumber(event: Event): void {
    event.preventDefault();
    const number = digits(field(event, "number"));
    this.badNumber = routeOf(`/j/${number}`).page !== "meeting";
    if (!this.badNumber) go(`/j/${number}`);
  }

  private useKey(event: Event): void {
    event.preventDefault();
    this.token = field(event, "key").trim();
    sessionStorage.setItem(KEPT_AS, this.token);
    void this.load();
  }

  private forget(): void {
    sessionStorage.removeItem(KEPT_AS);
    this.token = this.meetings = this.failed = null;
  }

  private async load(): Promise<void> {
    if (!this.token) return;
    this.failed = null;
    try {
      this.meetings = await today(this.token, new Date());
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const refused = error.status === 401 || error.status === 403;
      if (refused) this.forget();
      this.failed = refused ? "home.keyRefused" : "error.unreachable";
    }
  }
}

function field(event: Event, name: string): string {
  const value = new FormData(event.target as HTMLFormElement).get(name);
  return typeof value === "string" ? value : "";
}

/** Books a meeting, and shows once what must be handed out: links and PINs. */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { Problem } from "../api/http.js";
import { type BookedMeeting, book } from "../api/meetings.js";
import { type Form, dateField, meetingOf, newPin, timeField } from "../booking.js";
import { PageElement } from "../element.js";
import { chosen, t } from "../i18n/i18n.js";
import { spaced } from "../routes.js";
import { controls } from "../styles/controls.js";
import "./copy-field.js";

const HALF_HOUR_MS = 1_800_000;

@customElement("booking-form")
export class BookingForm extends PageElement {
  static override styles = [
    controls,
    css`
      .when {
        display: flex;
        flex-wrap: wrap;
        gap: 0.2rem 1.4rem;
      }

      .times {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr));
        gap: 0.8rem;
      }
    `,
  ];

  @property() token = "";
  @state() private when: Form["when"] = "now";
  @state() private booked: { meeting: BookedMeeting; form: Form } | null = null;
  @state() private problem: string | null = null;
  @state() private busy = false;
  private suggested = newPin();
  @query("form") private readonly form!: HTMLFormElement;
  @query("#done") private readonly done!: HTMLElement | null;

  protected override render(): TemplateResult {
    return this.booked ? this.result(this.booked.meeting, this.booked.form) : this.fields();
  }

  private fields(): TemplateResult {
    return html`<form class="stack" @submit=${this.submit}>
      <h2 id="book">${t("home.book")}</h2>
      <div role="alert" class="live">${this.problem ? html`<p class="told error">${this.problem}</p>` : nothing}</div>
      ${this.text("title", t("book.title"), t("book.titleHint"), true)}
      ${this.text("name", t("book.name"), t("book.nameHint"), false)}
      <fieldset>
        <legend>${t("book.when")}</legend>
        <div class="when">
          ${this.choice("now", t("book.now"))} ${this.choice("later", t("book.later"))}
          ${this.choice("always", t("book.always"))}
        </div>
      </fieldset>
      ${this.when === "later" ? this.times() : nothing}
      <fieldset class="stack">
        <legend>${t("book.rules")}</legend>
        ${this.pin("hostPin", t("book.hostPin"), t("book.hostPinHint"), this.suggested)}
        ${this.pin("guestPin", t("book.guestPin"), t("book.guestPinHint"), "")}
        ${this.check("lobby", t("book.lobby"), t("book.lobbyHint"))}
        ${this.check("waitForHost", t("book.waitForHost"), t("book.waitForHostHint"))}
      </fieldset>
      <p>
        <button class="button primary large" type="submit" aria-disabled=${String(this.busy)}>${t("book.book")}</button>
      </p>
    </form>`;
  }

  private text(name: string, label: string, hint: string, required: boolean): TemplateResult {
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <input
        id=${name}
        name=${name}
        maxlength="120"
        ?required=${required}
        aria-describedby=${`${name}-hint`}
        autocomplete="off"
      />
      <p id=${`${name}-hint`} class="hint">${hint}</p>
    </div>`;
  }

  private pin(name: string, label: string, hint: string, value: string): TemplateResult {
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <input
        id=${name}
        name=${name}
        inputmode="numeric"
        pattern="[0-9]{6,20}"
        maxlength="20"
        autocomplete="off"
        value=${value}
        aria-describedby=${`${name}-hint`}
      />
      <p id=${`${name}-hint`} class="hint">${hint}</p>
    </div>`;
  }

  private choice(when: Form["when"], text: string): TemplateResult {
    return html`<label class="check">
      <input
        type="radio"
        name="when"
        value=${when}
        .checked=${this.when === when}
        @change=${() => {
          this.when = when;
        }}
      />
      <span>${text}</span>
    </label>`;
  }

  private check(name: string, text: string, hint: string): TemplateResult {
    return html`<label class="check">
      <input type="checkbox" name=${name} /><span>${text}<span class="hint">${hint}</span></span>
    </label>`;
  }

  private times(): TemplateResult {
    const soon = new Date(Math.ceil(Date.now() / HALF_HOUR_MS) * HALF_HOUR_MS);
    const field = (name: string, type: string, label: string, value: string): TemplateResult =>
      html`<div class="field">
        <label for=${name}>${label}</label> <input id=${name} name=${name} type=${type} value=${value} required />
      </div>`;
    return html`<div class="times">
      ${field("date", "date", t("book.date"), dateField(soon))}
      ${field("from", "time", t("book.from"), timeField(soon))}
      ${field("to", "time", t("book.to"), timeField(new Date(soon.getTime() + HALF_HOUR_MS)))}
    </div>`;
  }

  private result(meeting: BookedMeeting, form: Form): TemplateResult {
    const host = meeting.participants.find((one) => one.role === "host")?.join_url;
    const { meeting_number, web_url } = meeting.join;
    return html`<div class="stack">
      <h2 id="done" tabindex="-1">${t("book.done", { title: meeting.title })}</h2>
      <p class="told good">${t("book.doneHint")}</p>
      ${
        host
          ? html`<copy-field label=${t("book.yourLink")} value=${host}></copy-field>
              <p><a class="button primary" href=${host}>${t("book.enter")}</a></p>`
          : nothing
      }
      <copy-field label=${t("book.guestLink")} value=${web_url}></copy-field>
      <copy-field label=${t("home.number")} value=${spaced(meeting_number)}></copy-field>
      ${form.hostPin ? html`<copy-field label=${t("book.hostPin")} value=${form.hostPin}></copy-field>` : nothing}
      ${form.guestPin ? html`<copy-field label=${t("book.guestPin")} value=${form.guestPin}></copy-field>` : nothing}
      <p><button class="button" type="button" @click=${this.another}>${t("book.another")}</button></p>
    </div>`;
  }

  private another(): void {
    this.booked = null;
    this.suggested = newPin();
    this.when = "now";
  }

  private async submit(event: Event): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    const form = this.read();
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const meeting = meetingOf(form, chosen.language, new Date(), zone);
    this.problem = meeting ? null : t("book.badTimes");
    if (!meeting) return;
    this.busy = true;
    try {
      this.booked = { meeting: await book(this.token, meeting), form };
      this.dispatchEvent(new Event("booked"));
      await this.updateComplete;
      this.done?.focus();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem = refusal(error);
    } finally {
      this.busy = false;
    }
  }

  private read(): Form {
    const data = new FormData(this.form);
    const text = (name: string): string => {
      const value = data.get(name);
      return typeof value === "string" ? value.trim() : "";
    };
    return {
      title: text("title"),
      name: text("name"),
      when: this.when,
      date: text("date"),
      from: text("from"),
      to: text("to"),
      hostPin: text("hostPin"),
      guestPin: text("guestPin"),
      lobby: data.has("lobby"),
      waitForHost: data.has("waitForHost"),
    };
  }
}

function refusal(problem: Problem): string {
  if (problem.status === 0) return `${t("error.unreachable")} ${t("error.unreachable.next")}`;
  const fields = problem.errors.map((one) => `${one.pointer}: ${one.detail}`).join(" ");
  return `${t("book.refused")} ${problem.detail} ${fields}`;
}

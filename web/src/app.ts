/** The whole page: the head with the choice of language, and what the address asks for. */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";
import { PageElement } from "./element.js";
import { LANGUAGES, type Language, chosen, t } from "./i18n/i18n.js";
import { type Route, go, routeOf } from "./routes.js";
import { controls } from "./styles/controls.js";
import "./pages/booking-page.js";
import type { MeetingPage } from "./pages/meeting-page.js";
import "./pages/meeting-page.js";

const NAMES: Record<Language, string> = { sv: "Svenska", en: "English" };

@customElement("mcu-app")
export class App extends PageElement {
  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 100dvh;
      }

      header {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 0.4rem 1rem;
        padding: 0.55rem clamp(0.8rem, 3vw, 2rem);
      }

      .brand {
        display: inline-flex;
        align-items: center;
        gap: 0.6rem;
        min-height: 32px;
        color: var(--ink);
        font-weight: 700;
        font-size: 1.08rem;
        letter-spacing: -0.01em;
        text-decoration: none;
      }

      .brand img {
        width: 32px;
        height: 32px;
      }

      .languages button {
        min-height: 34px;
        padding: 0.1rem 0.75rem;
        border: 1px solid var(--edge-strong);
        background: transparent;
        cursor: pointer;
      }

      .languages button:first-of-type {
        border-radius: 999px 0 0 999px;
      }

      .languages button:last-of-type {
        border-radius: 0 999px 999px 0;
        border-left: 0;
      }

      .languages button[aria-pressed="true"] {
        background: var(--brand);
        color: var(--brand-ink);
        font-weight: 600;
      }

      .skip {
        position: absolute;
        left: 0.5rem;
        top: -5rem;
        z-index: 20;
      }

      .skip:focus {
        top: 0.5rem;
      }

      main {
        flex: 1;
        display: flex;
        flex-direction: column;
        min-height: 0;
      }

      main:focus {
        outline: none;
      }

      .unknown {
        margin: 12vh auto;
        max-width: 34rem;
        padding: 0 1.2rem;
      }
    `,
  ];

  @state() private route: Route = routeOf(location.pathname);

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("popstate", this.moved);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("popstate", this.moved);
  }

  private readonly moved = (): void => {
    this.route = routeOf(location.pathname);
  };

  protected override render(): TemplateResult {
    return html`
      <header>
        <button class="skip button" type="button" @click=${this.skip}>${t("app.skip")}</button>
        <a class="brand" href="/" @click=${this.home}><img src="/icon.svg" alt="" />${t("app.name")}</a>
        <div class="languages" role="group" aria-label=${t("app.language")}>
          ${LANGUAGES.map(
            (one) =>
              html`<button
                type="button"
                lang=${one}
                aria-pressed=${String(chosen.language === one)}
                @click=${() => chosen.choose(one)}
              >
                ${NAMES[one]}
              </button>`,
          )}
        </div>
      </header>
      <main id="main" tabindex="-1">${this.page()}</main>
    `;
  }

  private page(): TemplateResult | typeof nothing {
    switch (this.route.page) {
      case "booking":
        return html`<booking-page></booking-page>`;
      case "meeting":
        return html`${keyed(this.route.number, html`<meeting-page .number=${this.route.number}></meeting-page>`)}`;
      default:
        return html`<div class="unknown stack">
          <h1>${t("unknown.title")}</h1>
          <p>${t("unknown.next")}</p>
          <p><a class="button" href="/" @click=${this.home}>${t("unknown.home")}</a></p>
        </div>`;
    }
  }

  private skip(): void {
    this.renderRoot.querySelector<HTMLElement>("main")?.focus();
  }

  /** A meeting is not left by a slip on the name of the page: there, the link opens anew only by the browser's own ways. */
  private home(event: MouseEvent): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (this.route.page !== "meeting") go("/");
    else if (this.renderRoot.querySelector<MeetingPage>("meeting-page")?.mayLeave()) go("/");
  }
}

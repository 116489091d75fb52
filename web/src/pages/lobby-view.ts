/** In the lobby: why one waits, and that one's devices are ready. Nothing of the room is heard or seen here. */

import { type TemplateResult, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { icon, iconStyle } from "../components/icons.js";
import "../components/self-view.js";
import { PageElement } from "../element.js";
import { t } from "../i18n/i18n.js";
import type { Meeting } from "../meeting/meeting.js";
import { controls } from "../styles/controls.js";

@customElement("lobby-view")
export class LobbyView extends PageElement {
  static override styles = [
    controls,
    iconStyle,
    css`
      .page {
        display: grid;
        gap: 1.4rem;
        max-width: 40rem;
        margin: 0 auto;
        padding: clamp(0.8rem, 3vw, 2.4rem) clamp(0.8rem, 3vw, 2rem) 3rem;
      }

      .why {
        font-size: 1.12rem;
      }
    `,
  ];

  @property({ attribute: false }) meeting!: Meeting;

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow(this.meeting);
  }

  protected override render(): TemplateResult {
    const { title, lobby } = this.meeting.state;
    return html`<div class="page">
      <div class="stack">
        <h1 tabindex="-1">${title || t("lobby.title")}</h1>
        <p class="told good why" role="status">
          <strong>${t("lobby.waiting")}</strong>${lobby === "host" ? t("lobby.host") : t("lobby.admission")}
        </p>
        <p>${t("lobby.private")}</p>
      </div>
      <self-view .media=${this.meeting.media}></self-view>
      <p>
        <button class="button" type="button" @click=${() => this.meeting.leave()}>
          ${icon.leave}${t("lobby.leave")}
        </button>
      </p>
    </div>`;
  }
}

/** Written words in the meeting. They are not kept: who comes later does not see them. */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { PageElement } from "../element.js";
import { clock, t } from "../i18n/i18n.js";
import type { Meeting } from "../meeting/meeting.js";
import { CHAT_LIMIT, type ChatLine } from "../protocol.js";
import { controls } from "../styles/controls.js";

@customElement("room-chat")
export class RoomChat extends PageElement {
  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        flex-direction: column;
        gap: 0.8rem;
        min-height: 14rem;
        height: 100%;
      }

      .lines {
        flex: 1;
        min-height: 6rem;
        overflow-y: auto;
      }

      li {
        margin-bottom: 0.7rem;
        overflow-wrap: anywhere;
      }

      .from {
        display: flex;
        justify-content: space-between;
        gap: 0.6rem;
        font-size: 0.86rem;
        color: var(--ink-2);
      }

      .from strong {
        color: var(--ink);
      }

      .text {
        display: inline-block;
        margin: 0.1rem 0 0;
        padding: 0.4rem 0.7rem;
        border-radius: 4px var(--round-s) var(--round-s) var(--round-s);
        background: var(--surface-2);
        white-space: pre-wrap;
      }

      .mine .text {
        background: var(--brand-soft);
        color: var(--brand-soft-ink);
      }

      textarea {
        resize: vertical;
      }
    `,
  ];

  @property({ attribute: false }) meeting!: Meeting;
  @query("textarea") private readonly field!: HTMLTextAreaElement;
  @query(".lines") private readonly lines!: HTMLElement;
  private drawn = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow(this.meeting);
  }

  protected override updated(): void {
    const { length } = this.meeting.state.chat;
    if (length !== this.drawn) this.lines.scrollTop = this.lines.scrollHeight;
    this.drawn = length;
  }

  protected override render(): TemplateResult {
    const { chat } = this.meeting.state;
    return html`<div class="lines" role="log" tabindex="0" aria-label=${t("chat.lines")}>
        ${chat.length === 0 ? html`<p class="hint">${t("chat.empty")}</p>` : nothing}
        <ul>
          ${chat.map((line) => this.line(line))}
        </ul>
      </div>
      <form class="field" @submit=${this.send}>
        <label for="text">${t("chat.write")}</label>
        <textarea id="text" rows="2" maxlength=${CHAT_LIMIT} @keydown=${this.key}></textarea>
        <button class="button primary" type="submit">${t("chat.send")}</button>
      </form>`;
  }

  /** Puts the cursor where one writes. */
  async write(): Promise<void> {
    await this.updateComplete;
    this.field.focus();
  }

  private line(line: ChatLine): TemplateResult {
    return html`<li class=${line.leg === this.meeting.state.me ? "mine" : ""}>
      <span class="from"><strong>${line.name}</strong><time datetime=${line.at}>${clock(line.at)}</time></span>
      <p class="text">${line.text}</p>
    </li>`;
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.send(event);
  }

  private send(event: Event): void {
    event.preventDefault();
    const text = this.field.value.trim();
    if (!text) return;
    this.meeting.say({ type: "chat", text });
    this.field.value = "";
  }
}

/**
 * Who came and who left, in text, while the sound of it plays: said to screen readers, and shown for a while. For hosts,
 * that somebody could not be told stays until they have seen it.
 */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { PageElement } from "../element.js";
import { clock, t } from "../i18n/i18n.js";
import type { Meeting } from "../meeting/meeting.js";
import type { NoticeShown } from "../protocol.js";
import { controls } from "../styles/controls.js";
import { names } from "./describe.js";
import { icon, iconStyle } from "./icons.js";

const SHOWN_MS = 7000;
const SHOWN_AT_MOST = 4;

@customElement("room-notices")
export class RoomNotices extends PageElement {
  static override styles = [
    controls,
    iconStyle,
    css`
      :host {
        position: absolute;
        z-index: 5;
        top: 0.7rem;
        right: 0.7rem;
        width: min(24rem, calc(100% - 1.4rem));
        pointer-events: none;
      }

      li {
        display: flex;
        align-items: center;
        gap: 0.6rem;
        margin-bottom: 0.5rem;
        padding: 0.35rem 0.4rem 0.35rem 0.9rem;
        border: 1px solid var(--edge);
        border-left: 5px solid var(--brand);
        border-radius: var(--round-s);
        background: var(--surface);
        color: var(--ink);
        box-shadow: var(--shadow);
        pointer-events: auto;
        animation: come 200ms ease-out;
      }

      li.untold {
        border-left-color: var(--danger);
      }

      .text {
        flex: 1;
        overflow-wrap: anywhere;
      }

      .text .hint {
        display: block;
      }

      .icon-button {
        flex: none;
        width: 34px;
        height: 34px;
      }

      /* on a small screen the newest alone, or the picture would be hidden */
      @media (max-width: 60rem) {
        li:not(:last-child) {
          display: none;
        }
      }

      @keyframes come {
        from {
          opacity: 0;
          transform: translateY(-6px);
        }
      }
    `,
  ];

  @property({ attribute: false }) meeting!: Meeting;
  /** When each was first shown; those that the user or time has closed have 0. */
  @state() private since = new Map<string, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow(this.meeting);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override willUpdate(): void {
    for (const { notice } of this.meeting.state.notices)
      if (!this.since.has(notice)) this.since.set(notice, performance.now());
  }

  protected override updated(): void {
    clearTimeout(this.timer);
    if (this.shown().length > 0) this.timer = setTimeout(() => this.requestUpdate(), 500);
  }

  protected override render(): TemplateResult {
    const { notices, refusal } = this.meeting.state;
    const last = notices.at(-1);
    return html`<p class="unseen" role="status">${last?.text ?? ""}</p>
      <ul aria-label=${t("notices.list")}>
        ${
          refusal
            ? html`<li class="untold" role="alert">
                <span class="text">${t("notices.refused")} ${refusal.text}</span
                >${this.closer(() => this.meeting.dismissRefusal())}
              </li>`
            : nothing
        }
        ${repeat(
          this.shown(),
          (one) => one.notice,
          (one) => this.notice(one),
        )}
      </ul>`;
  }

  private shown(): NoticeShown[] {
    return this.meeting.state.notices.filter((one) => this.isShown(one)).slice(-SHOWN_AT_MOST);
  }

  private isShown(notice: NoticeShown): boolean {
    const since = this.since.get(notice.notice) ?? 0;
    if (since === 0) return false;
    return notice.untold.length > 0 || performance.now() - since < SHOWN_MS;
  }

  private notice(notice: NoticeShown): TemplateResult {
    const untold = notice.untold.length > 0;
    return html`<li class=${untold ? "untold" : ""}>
      <span class="text">
        ${notice.text}
        <span class="hint">${clock(notice.at)}</span>
        ${
          untold
            ? html`<span role="alert"><strong>${t("notices.untold")}</strong> ${names(notice.untold)}</span>`
            : nothing
        }
      </span>
      ${this.closer(() => this.dismiss(notice))}
    </li>`;
  }

  private closer(act: () => void): TemplateResult {
    return html`<button class="icon-button" type="button" aria-label=${t("notices.close")} @click=${act}>
      ${icon.close}
    </button>`;
  }

  private dismiss(notice: NoticeShown): void {
    this.since.set(notice.notice, 0);
    this.requestUpdate();
  }
}

/**
 * The composed picture, and over it, where the layout map says, each name as real text. The names follow the picture's
 * own letterboxing; a list for screen readers tells who is where. The speaker's border is the picture's own.
 */

import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { PageElement } from "../element.js";
import { t } from "../i18n/i18n.js";
import type { Meeting } from "../meeting/meeting.js";
import { place } from "../meeting/state.js";
import type { Entry, LayoutMap, Tile } from "../protocol.js";
import { playOn } from "../media/speaker.js";
import { controls } from "../styles/controls.js";
import { lost, marks } from "./describe.js";
import { icon, iconStyle } from "./icons.js";

@customElement("room-stage")
export class RoomStage extends PageElement {
  static override styles = [
    controls,
    iconStyle,
    css`
      :host {
        position: relative;
        container-type: size;
        display: grid;
        place-items: center;
        min-height: 0;
        overflow: hidden;
        border-radius: var(--round);
        background: #0b1c1e;
        color: #eef3f0;
      }

      .frame {
        position: relative;
        width: min(100cqw, 100cqh * var(--ratio, 1.7778));
        aspect-ratio: var(--ratio, 1.7778);
      }

      video {
        display: block;
        width: 100%;
        height: 100%;
        object-fit: contain;
      }

      .tiles {
        position: absolute;
        inset: 0;
        pointer-events: none;
      }

      .tile {
        position: absolute;
        container-type: inline-size;
      }

      /* It covers the name that is painted in the picture: same corner, same size, a face as wide as the painted one. */
      .name {
        position: absolute;
        left: 0;
        bottom: 0;
        display: flex;
        align-items: center;
        gap: 0.35em;
        max-width: 100%;
        padding: 0.14em 0.75em calc(0.14em + var(--name-edge, 0) * 100cqw) calc(0.55em + var(--name-edge, 0) * 100cqw);
        border-top-right-radius: 0.5em;
        background: #0b1c1e;
        color: #ffffff;
        font-family: "DejaVu Sans", Verdana, sans-serif;
        font-size: max(0.7rem, var(--name-size, 0.04) * 100cqw);
        font-weight: 600;
        line-height: 1.4;
      }

      .name span:first-child {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }

      .name svg.icon {
        width: 1.1em;
        height: 1.1em;
      }

      .over {
        position: absolute;
        inset: 0;
        display: grid;
        place-content: center;
        justify-items: center;
        gap: 0.8rem;
        padding: 1rem;
        background: rgb(11 28 30 / 88%);
        text-align: center;
        font-size: 1.1rem;
      }

      video.still {
        opacity: 0.35;
      }

      .said {
        position: absolute;
        top: 0.8rem;
        max-width: calc(100% - 1.6rem);
      }

      .said p {
        padding: 0.3rem 0.8rem;
        border-radius: 8px;
        background: #0b1c1e;
        color: #ffffff;
        text-align: center;
      }

      .sound {
        position: absolute;
        top: 0.8rem;
      }
    `,
  ];

  @property({ attribute: false }) meeting!: Meeting;
  @query("video") private readonly video!: HTMLVideoElement;
  @query("audio") private readonly audio!: HTMLAudioElement;
  @state() private silent = false;
  private shown: MediaStream | null = null;
  private speaker = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.follow(this.meeting);
    this.follow(this.meeting.media);
  }

  protected override updated(): void {
    this.play();
    const { map } = this.meeting.state;
    if (!map) return;
    this.style.setProperty("--ratio", String(map.width / map.height));
    const tiles = this.renderRoot.querySelectorAll<HTMLElement>(".tile");
    map.tiles.forEach((tile, index) => lay(tiles[index], tile, map));
  }

  protected override render(): TemplateResult {
    const { map, title } = this.meeting.state;
    const still = this.meeting.still && place(this.meeting.state) === "room";
    return html`<div class="frame">
        <video
          class=${still ? "still" : ""}
          autoplay
          muted
          playsinline
          aria-label=${t("stage.picture", { title })}
        ></video>
        <ul class="tiles" aria-label=${t("stage.who")}>
          ${
            map
              ? repeat(
                  map.tiles,
                  (tile) => `${tile.leg}/${tile.source}`,
                  (tile) => this.tile(tile),
                )
              : nothing
          }
        </ul>
      </div>
      <audio autoplay></audio>
      ${this.cover()}
      <div class="said" role="status">${still ? html`<p>${t("stage.still")}</p>` : nothing}</div>
      ${
        this.silent
          ? html`<button class="button primary sound" type="button" @click=${this.startSound}>
              ${icon.speaker}${t("stage.sound")}
            </button>`
          : nothing
      }`;
  }

  private tile(tile: Tile): TemplateResult {
    const entry = this.meeting.state.roster.find((one) => one.leg === tile.leg);
    const shared = tile.source === "screen";
    return html`<li class="tile" data-leg=${tile.leg} data-source=${tile.source}>
      ${entry ? this.name(entry, shared) : nothing}
    </li>`;
  }

  private name(entry: Entry, shared: boolean): TemplateResult {
    const text = shared ? t("stage.screenOf", { name: entry.name }) : entry.name;
    return html`<span class="name"
      ><span>${text}</span>${entry.muted && !shared ? icon.microphoneOff : nothing}${
        entry.hand && !shared ? icon.hand : nothing
      }<span class="unseen">${shared ? "" : `, ${marks(entry)}`}</span></span
    >`;
  }

  private cover(): TemplateResult | typeof nothing {
    const { state: now } = this.meeting;
    if (now.phase === "resuming") return html`<div class="over"><p>${lost(now)}</p></div>`;
    switch (place(now)) {
      case "held":
        return html`<div class="over">
          <p>${t("stage.held")}</p>
          <button class="button primary" type="button" @click=${() => this.meeting.say({ type: "hold", held: false })}>
            ${icon.play}${t("room.resume")}
          </button>
        </div>`;
      case "connecting":
      case "announcing":
        return html`<div class="over"><p>${t("stage.entering")}</p></div>`;
      default:
        return nothing;
    }
  }

  private play(): void {
    const stream = this.meeting.incoming;
    if (stream !== this.shown) {
      this.shown = stream;
      this.video.srcObject = stream ? new MediaStream(stream.getVideoTracks()) : null;
      this.audio.srcObject = stream ? new MediaStream(stream.getAudioTracks()) : null;
      if (stream) void this.startSound();
    }
    const { speaker } = this.meeting.media.choice;
    if (speaker !== this.speaker) void playOn(this.audio, speaker);
    this.speaker = speaker;
  }

  /** A browser may refuse sound before the user has touched the page: then a button asks for the touch. */
  private async startSound(): Promise<void> {
    try {
      await this.audio.play();
      this.silent = false;
    } catch (error) {
      this.silent = error instanceof Error && error.name === "NotAllowedError";
    }
  }
}

/** By the style object and not in the template: the page's Content-Security-Policy refuses style attributes. */
function lay(element: HTMLElement | undefined, tile: Tile, map: LayoutMap): void {
  if (!element) return;
  const percent = (part: number, whole: number): string => `${(100 * part) / whole}%`;
  element.style.left = percent(tile.x, map.width);
  element.style.top = percent(tile.y, map.height);
  element.style.width = percent(tile.width, map.width);
  element.style.height = percent(tile.height, map.height);
  const { size, edge } = paintedName(tile.height, map.tiles.length === 1 ? 0 : map.height);
  element.style.setProperty("--name-size", String(size / tile.width));
  element.style.setProperty("--name-edge", String(edge / tile.width));
}

/** How large the name in the picture is, and how far from the tile's edges, in its pixels: as the compositor paints it. */
function paintedName(tileHeight: number, pictureHeight: number): { size: number; edge: number } {
  const size = Math.min(28, Math.max(11, Math.floor(tileHeight / 25) + 6));
  const frame = pictureHeight === 0 ? 0 : Math.max(2, 2 * Math.floor(pictureHeight / 360));
  return { size, edge: 3 * frame };
}

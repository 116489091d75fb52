/** What every component of the page has: the shared look, and words that follow the chosen language. */

import { type CSSResultGroup, LitElement } from "lit";
import { chosen } from "./i18n/i18n.js";
import { type Observable, Watching } from "./observable.js";
import { controls } from "./styles/controls.js";

export class PageElement extends LitElement {
  static override styles: CSSResultGroup = [controls];

  private readonly followed = new Set<Observable>();

  constructor() {
    super();
    this.follow(chosen);
  }

  /** Draws this component again whenever `seen` changes, for as long as it is on the page. */
  protected follow(seen: Observable): void {
    if (this.followed.has(seen)) return;
    this.followed.add(seen);
    new Watching(this, seen);
  }
}

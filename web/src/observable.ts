/** Something that components watch, and the controller with which they do it. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

export class Observable {
  private readonly watchers = new Set<() => void>();

  /** @returns what stops the watching */
  watch(told: () => void): () => void {
    this.watchers.add(told);
    return () => this.watchers.delete(told);
  }

  protected changed(): void {
    for (const told of [...this.watchers]) told();
  }
}

/** Draws its host again whenever the observable changes. */
export class Watching implements ReactiveController {
  private stop: (() => void) | undefined;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly seen: Observable,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.stop = this.seen.watch(() => this.host.requestUpdate());
  }

  hostDisconnected(): void {
    this.stop?.();
  }
}

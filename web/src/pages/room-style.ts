/** How the room is laid out: the picture takes what is left; on narrow screens the panel lies under it. */

import { css } from "lit";

export const roomStyle = css`
  :host {
    flex: 1;
    display: flex;
    min-height: 0;
  }

  .room {
    flex: 1;
    display: grid;
    grid-template: "head head" auto "stage panel" minmax(15rem, 1fr) "controls controls" auto / minmax(0, 1fr) auto;
    gap: 0.6rem;
    height: calc(100dvh - 3.6rem);
    min-height: 26rem;
    padding: 0 clamp(0.5rem, 1.5vw, 1.2rem) 0.7rem;
  }

  .head {
    grid-area: head;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.4rem 1rem;
  }

  .head h1 {
    font-size: 1.2rem;
    overflow-wrap: anywhere;
  }

  .head h1:focus {
    outline: none;
  }

  .badge {
    display: inline-flex;
    align-items: center;
    gap: 0.3rem;
    padding: 0.1rem 0.7rem 0.1rem 0.4rem;
    border-radius: 999px;
    background: var(--warn-soft);
    color: var(--warn-soft-ink);
    font-size: 0.92rem;
  }

  .knock {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.4rem 0.7rem;
    margin-left: auto;
    padding: 0.25rem 0.3rem 0.25rem 0.9rem;
    border-radius: var(--round-s);
    background: var(--warn-soft);
    color: var(--warn-soft-ink);
  }

  .stage {
    grid-area: stage;
    position: relative;
    container-type: size;
    min-width: 0;
    min-height: 0;
  }

  .pictures {
    display: grid;
    gap: 0.6rem;
    height: 100%;
  }

  .pictures.with-content {
    grid-template-columns: minmax(0, 3fr) minmax(0, 1fr);
  }

  /* both pictures are wide: here they are larger one above the other */
  @container (max-aspect-ratio: 8/5) {
    .pictures.with-content {
      grid-template: minmax(0, 3fr) minmax(0, 1fr) / minmax(0, 1fr);
    }
  }

  .panel {
    grid-area: panel;
    display: flex;
    flex-direction: column;
    width: 21rem;
    min-height: 0;
    border-radius: var(--round);
    background: var(--surface);
    box-shadow: var(--shadow);
  }

  .panel-head {
    display: flex;
    align-items: center;
    justify-content: space-between;
    padding: 0.4rem 0.4rem 0 1.1rem;
  }

  .panel-body {
    flex: 1;
    min-height: 0;
    overflow-y: auto;
    padding: 0.4rem 1.1rem 1.1rem;
  }

  .controls {
    grid-area: controls;
    display: flex;
    flex-wrap: wrap;
    justify-content: center;
    gap: 0.35rem;
  }

  .control {
    position: relative;
    display: grid;
    justify-items: center;
    align-content: center;
    gap: 0.1rem;
    min-width: 5.6rem;
    min-height: 56px;
    padding: 0.3rem 0.55rem;
    border: 1px solid transparent;
    border-radius: var(--round-s);
    background: transparent;
    color: var(--ink);
    font-size: 0.84rem;
    font-weight: 600;
    line-height: 1.2;
    cursor: pointer;
  }

  .control:hover {
    background: var(--surface-2);
  }

  .control.pressed {
    background: var(--brand-soft);
    color: var(--brand-soft-ink);
    border-color: var(--brand);
  }

  .control.alert {
    background: var(--danger-soft);
    color: var(--danger-soft-ink);
  }

  .control.danger {
    margin-left: 0.8rem;
    background: var(--danger);
    color: var(--danger-ink);
  }

  .control[disabled] {
    opacity: 0.55;
    cursor: default;
  }

  .count {
    position: absolute;
    top: 2px;
    right: calc(50% - 2.2rem);
    min-width: 1.5em;
    padding: 0 0.35em;
    border-radius: 999px;
    background: var(--brand);
    color: var(--brand-ink);
    font-size: 0.76rem;
    line-height: 1.5;
    text-align: center;
  }

  @media (max-width: 60rem) {
    .room {
      display: flex;
      flex-direction: column;
      height: auto;
      min-height: calc(100dvh - 3.6rem);
    }

    .stage {
      flex: none;
      container-type: normal;
    }

    .pictures.with-content {
      grid-template: none / minmax(0, 1fr);
    }

    room-stage {
      height: min(70dvh, 62vw);
      min-height: 11rem;
    }

    .panel {
      order: 2;
      width: auto;
      max-height: none;
    }

    .controls {
      display: grid;
      grid-template-columns: repeat(auto-fill, minmax(4.9rem, 1fr));
    }

    .control {
      grid-template-columns: minmax(0, 1fr);
      min-width: 0;
      padding-inline: 0.1rem;
      font-size: 0.8rem;
      hyphens: auto;
    }

    .control span {
      max-width: 100%;
      overflow-wrap: anywhere;
    }

    .control.danger {
      grid-column-end: -1; /* apart from the others */
      margin-left: 0;
    }
  }

  @media (forced-colors: active) {
    .control {
      border-color: ButtonText;
    }

    .control.pressed {
      border-width: 3px;
    }
  }
`;

/** Buttons, fields, cards: the look that the components share. Targets are at least 44 px high, small ones 32. */

import { css } from "lit";

export const controls = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  :host {
    display: block;
  }

  :host([hidden]),
  [hidden] {
    display: none !important;
  }

  h1,
  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd,
  fieldset,
  figure {
    margin: 0;
    padding: 0;
  }

  h1 {
    font-size: clamp(1.5rem, 1.1rem + 1.6vw, 2.1rem);
    line-height: 1.15;
    font-weight: 650;
    letter-spacing: -0.012em;
    text-wrap: balance;
  }

  h2 {
    font-size: 1.15rem;
    line-height: 1.3;
    font-weight: 650;
  }

  ul,
  ol {
    list-style: none;
  }

  fieldset {
    border: 0;
    min-width: 0;
  }

  legend {
    padding: 0;
    font-weight: 600;
  }

  button,
  input,
  select,
  textarea {
    font: inherit;
    color: inherit;
  }

  :focus-visible {
    outline: 3px solid var(--focus);
    outline-offset: 2px;
  }

  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
    min-height: 44px;
    padding: 0.45rem 1.1rem;
    border: 1px solid var(--edge-strong);
    border-radius: var(--round-s);
    background: var(--surface);
    color: var(--ink);
    font-weight: 600;
    text-decoration: none;
    cursor: pointer;
  }

  .button:hover {
    background: var(--surface-2);
  }

  .button.primary {
    border-color: var(--brand);
    background: var(--brand);
    color: var(--brand-ink);
  }

  .button.primary:hover {
    filter: brightness(1.12);
  }

  .button.danger {
    border-color: var(--danger);
    background: var(--danger);
    color: var(--danger-ink);
  }

  .button.danger:hover {
    filter: brightness(1.1);
  }

  .button.large {
    min-height: 54px;
    padding-inline: 1.8rem;
    font-size: 1.1rem;
  }

  .button.small {
    min-height: 34px;
    padding: 0.2rem 0.7rem;
    font-size: 0.92rem;
  }

  .button[disabled] {
    opacity: 0.65;
    cursor: default;
  }

  .icon-button {
    display: inline-grid;
    place-items: center;
    width: 44px;
    height: 44px;
    border: 0;
    border-radius: 50%;
    background: transparent;
    color: inherit;
    cursor: pointer;
  }

  .icon-button:hover {
    background: var(--surface-2);
  }

  .field {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.3rem;
  }

  .field > label,
  .label {
    font-weight: 600;
  }

  .hint {
    color: var(--ink-2);
    font-size: 0.92rem;
  }

  .field input,
  .field select,
  .field textarea {
    width: 100%;
    min-height: 44px;
    padding: 0.45rem 0.7rem;
    border: 1px solid var(--edge-strong);
    border-radius: var(--round-s);
    background: var(--surface);
  }

  .check {
    display: flex;
    align-items: flex-start;
    gap: 0.65rem;
    padding-block: 0.3rem;
    cursor: pointer;
  }

  .check input {
    flex: none;
    width: 24px;
    height: 24px;
    margin: 0;
    accent-color: var(--brand);
  }

  .check .hint {
    display: block;
  }

  .card {
    padding: clamp(1rem, 0.6rem + 2vw, 1.8rem);
    border-radius: var(--round);
    background: var(--surface);
    box-shadow: var(--shadow);
  }

  .told {
    padding: 0.8rem 1rem;
    border-left: 5px solid currentcolor;
    border-radius: var(--round-s);
  }

  .told.error {
    background: var(--danger-soft);
    color: var(--danger-soft-ink);
  }

  .told.warn {
    background: var(--warn-soft);
    color: var(--warn-soft-ink);
  }

  .told.good {
    background: var(--brand-soft);
    color: var(--brand-soft-ink);
  }

  .told strong {
    display: block;
  }

  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.6rem;
  }

  .stack {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--gap);
    align-content: start;
  }

  .stack > legend {
    margin-bottom: 0.5rem;
  }

  /* A live region must be on the page before it says anything; without words it takes no place. */
  .live:not(:has(*)) {
    position: absolute;
  }

  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  a {
    color: var(--brand);
    text-underline-offset: 0.18em;
  }

  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
      scroll-behavior: auto !important;
    }
  }

  @media (forced-colors: active) {
    .button,
    .icon-button {
      border: 1px solid ButtonText;
    }
  }
`;

/** Drawings, 24 × 24, stroked in the colour of the text beside them. Never the only carrier of a meaning. */

import { type TemplateResult, css, svg, html } from "lit";

export const iconStyle = css`
  svg.icon {
    flex: none;
    width: 1.45em;
    height: 1.45em;
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.9;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
`;

const draw = (paths: TemplateResult): TemplateResult =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${paths}</svg>`;

const microphone = svg`<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.500 11.500a6.500 6.500 0 0 0 13 0M12 18v3"/>`;
const camera = svg`<rect x="3" y="6.500" width="12.500" height="11" rx="2.500"/><path d="m15.500 11 5.500-3v8l-5.500-3"/>`;
const slash = svg`<path d="M4 3.500 20.500 20.500" stroke-width="2.300"/>`;

export const icon = {
  microphone: draw(microphone),
  microphoneOff: draw(svg`${microphone}${slash}`),
  camera: draw(camera),
  cameraOff: draw(svg`${camera}${slash}`),
  screen: draw(
    svg`<rect x="3" y="4.500" width="18" height="12" rx="2"/><path d="M12 13.500v-6M9.300 9.800 12 7.200l2.700 2.600M8.500 20h7"/>`,
  ),
  network: draw(svg`<path d="M5.500 19v-4M12 19v-9M18.500 19V5" stroke-width="3"/>`),
  networkWeak: draw(svg`<path d="M5.500 19v-4M12 19v-9" stroke-width="3"/><path d="M18.500 19V5" opacity="0.3"/>`),
  networkPoor: draw(svg`<path d="M5.500 19v-4" stroke-width="3"/><path d="M12 19v-9M18.500 19V5" opacity="0.3"/>`),
  hand: draw(
    svg`<path d="M7.500 12.500V6.700a1.400 1.400 0 0 1 2.800 0v4.500V4.700a1.400 1.400 0 0 1 2.800 0v6.500V6a1.400 1.400 0 0 1 2.800 0v6.500l1-2.200a1.400 1.400 0 0 1 2.600 1.100l-2.200 6C16.300 19.800 14.800 21 12.500 21 9 21 7.800 19 6.600 16.800L4.300 13a1.400 1.400 0 0 1 2.300-1.500z"/>`,
  ),
  people: draw(
    svg`<circle cx="9" cy="8.500" r="3.300"/><path d="M2.800 19.500c.5-3.600 2.700-5.500 6.200-5.500s5.700 1.900 6.200 5.500"/><path d="M15.500 5.500a3 3 0 0 1 0 6M17.500 14.500c2.200.6 3.400 2.300 3.700 5"/>`,
  ),
  chat: draw(svg`<path d="M4 5.500h16v11H11l-4.500 3.800v-3.800H4z"/><path d="M8 9.500h8M8 12.700h5"/>`),
  layout: draw(
    svg`<rect x="3.500" y="4.500" width="17" height="15" rx="2"/><path d="M3.500 14h17M9.200 14v5.500M14.800 14v5.500"/>`,
  ),
  pause: draw(svg`<path d="M9 6v12M15 6v12" stroke-width="2.600"/>`),
  play: draw(svg`<path d="M8 5.500v13l10.500-6.500z"/>`),
  leave: draw(
    svg`<path d="M4 14.500c5-4.300 11-4.300 16 0l-2 2.700-3.700-1.500v-2.300a9 9 0 0 0-4.600 0v2.300L6 17.200z"/>`,
  ),
  settings: draw(
    svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2.200"/><circle cx="9" cy="17" r="2.200"/>`,
  ),
  speaker: draw(
    svg`<path d="M4 9.500v5h3.500l4.500 4v-13l-4.500 4zM15.500 9a4 4 0 0 1 0 6M18 6.500a7.500 7.500 0 0 1 0 11"/>`,
  ),
  lock: draw(svg`<rect x="5" y="10.500" width="14" height="9.500" rx="2"/><path d="M8 10.500V8a4 4 0 0 1 8 0v2.500"/>`),
  close: draw(svg`<path d="M6 6l12 12M18 6 6 18"/>`),
  more: draw(
    svg`<circle cx="5.500" cy="12" r="1.200"/><circle cx="12" cy="12" r="1.200"/><circle cx="18.500" cy="12" r="1.200"/>`,
  ),
  phone: draw(
    svg`<path d="M6 3.800 9 4l1.300 4-2 1.700c1 2.500 3 4.500 5.800 6l1.800-2 4 1.500v3.200c0 1-.8 1.800-1.800 1.700C10.500 19.500 4.800 13.500 4.200 5.700 4.100 4.700 5 3.800 6 3.800z"/>`,
  ),
  star: draw(svg`<path d="m12 4 2.400 5 5.400.7-4 3.800 1 5.500-4.800-2.700L7.200 19l1-5.500-4-3.800 5.400-.7z"/>`),
  room: draw(svg`<rect x="3" y="5" width="18" height="11" rx="1.500"/><path d="M12 16v3.500M8 19.500h8"/>`),
  record: draw(svg`<circle cx="12" cy="12" r="8.500"/><circle cx="12" cy="12" r="3.500" fill="currentcolor"/>`),
};

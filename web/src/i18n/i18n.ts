/** The page's words, in the language that the user chose. */

import { Observable } from "../observable.js";
import { en } from "./en.js";
import { type Key, sv } from "./sv.js";

export type { Key } from "./sv.js";
export const LANGUAGES = ["sv", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

const CATALOGUES: Record<Language, Record<Key, string>> = { sv, en };
const KEPT_AS = "language";

class Chosen extends Observable {
  language: Language = first();

  choose(language: Language): void {
    localStorage.setItem(KEPT_AS, language);
    this.language = language;
    document.documentElement.lang = language;
    this.changed();
  }
}

/** What was chosen on this machine, else what the browser asks for, else Swedish. */
function first(): Language {
  const wanted = [localStorage.getItem(KEPT_AS) ?? "", ...navigator.languages];
  return wanted.map((one) => one.slice(0, 2)).find(known) ?? "sv";
}

function known(code: string): code is Language {
  return (LANGUAGES as readonly string[]).includes(code);
}

export const chosen = new Chosen();

/** The text of a key, `{name}` replaced by the value of that name. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return CATALOGUES[chosen.language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** A time of day, 24 hours in Swedish, as the user's machine has it in English. */
export function clock(at: string | Date): string {
  const locale = chosen.language === "sv" ? "sv-SE" : "en-GB";
  return new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

export function day(at: string | Date): string {
  const locale = chosen.language === "sv" ? "sv-SE" : "en-GB";
  return new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" }).format(new Date(at));
}

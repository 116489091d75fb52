import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { en } from "../src/i18n/en.js";
import { sv } from "../src/i18n/sv.js";

const SOURCES = join(import.meta.dirname, "../src");

function sources(): string {
  const names = readdirSync(SOURCES, { recursive: true, encoding: "utf8" });
  const code = names.filter((name) => name.endsWith(".ts") && !name.startsWith("i18n"));
  return code.map((name) => readFileSync(join(SOURCES, name), "utf8")).join("\n");
}

const placeholders = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map((match) => match[0]).sort();

describe("the catalogues", () => {
  it("have the same keys in Swedish and English, in the same order", () => {
    expect(Object.keys(en)).toEqual(Object.keys(sv));
  });

  it("leave no text empty", () => {
    const empty = [...Object.entries(sv), ...Object.entries(en)].filter(([, text]) => text.trim() === "");
    expect(empty).toEqual([]);
  });

  it("put the same values into a text in both languages", () => {
    for (const [key, text] of Object.entries(sv)) {
      expect(placeholders(en[key as keyof typeof en]), key).toEqual(placeholders(text));
    }
  });

  it("hold no key that the page does not use", () => {
    const used = sources();
    expect(Object.keys(sv).filter((key) => !used.includes(`"${key}"`))).toEqual([]);
  });

  it("have every key that the page asks for", () => {
    const asked = [...sources().matchAll(/\bt\(\s*"([\w.]+)"/g)].map((match) => match[1] ?? "");
    expect(asked.filter((key) => !(key in sv))).toEqual([]);
    expect(asked.length).toBeGreaterThan(50);
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const server = readFileSync(join(ROOT, "mcu/signalling/webrtc/messages.py"), "utf8");
const page = readFileSync(join(ROOT, "web/src/protocol.ts"), "utf8");

const tags = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? "");

describe("the page's messages", () => {
  it("are those of the server's contract, both ways, none more and none less", () => {
    const ours = new Set(tags(page, /type: "(\w+)"/g));
    const theirs = new Set(tags(server, /tag="(\w+)"/g));
    expect(theirs.size).toBeGreaterThan(20);
    expect([...ours].sort()).toEqual([...theirs].sort());
  });

  it("know every kind of leg and every state of one", () => {
    const kinds = /LegKind = Literal\[(.*)\]/.exec(server)?.[1]?.match(/\w+/g) ?? [];
    const life = readFileSync(join(ROOT, "mcu/media/life.py"), "utf8");
    const states = tags(life.slice(0, life.indexOf("class LegEvent")), /^ {4}[A-Z_]+ = "(\w+)"/gm);
    expect(kinds.length + states.length).toBeGreaterThan(10);
    for (const word of [...kinds, ...states]) expect(page).toContain(`"${word}"`);
  });

  it("know every stage of a call", () => {
    const roster = readFileSync(join(ROOT, "mcu/conference/roster.py"), "utf8");
    const from = roster.indexOf("class Stage");
    const stages = tags(roster.slice(from, roster.indexOf("class Called")), /^ {4}[A-Z_]+ = "(\w+)"/gm);
    expect(stages).toHaveLength(10);
    for (const stage of stages) expect(page).toContain(`"${stage}"`);
  });

  it("know every level and every trouble of a network", () => {
    const messages = readFileSync(join(ROOT, "mcu/media/messages.py"), "utf8");
    const words = tags(
      messages.slice(messages.indexOf("class NetworkLevel"), messages.indexOf("class Cause")),
      /^ {4}[A-Z_]+ = "(\w+)"/gm,
    );
    expect(words).toHaveLength(9);
    for (const word of words) expect(page).toContain(`"${word}"`);
  });

  it("name every layout, and whose a picture is", () => {
    const messages = readFileSync(join(ROOT, "mcu/media/messages.py"), "utf8");
    const layouts = tags(messages.slice(0, messages.indexOf("class Source")), /^ {4}[A-Z_]+ = "(\w+)"/gm);
    expect(layouts).toHaveLength(8);
    for (const layout of layouts) expect(page).toContain(`"${layout}"`);
  });
});
